#!/usr/bin/env python3
"""count_tests.py FAILED LOG...: sums meson's JSON logs; FAILED more failures are added. Prints the names
of skipped tests, then "N passed, M failed"."""
import json
import os
import sys

PASSED = {'OK', 'EXPECTEDFAIL'}
NEITHER = {'SKIP', 'IGNORED'}


def main():
    passed, failed, skipped = 0, int(sys.argv[1]), []
    for path in sys.argv[2:]:
        if not os.path.exists(path):
            continue
        with open(path, encoding='utf-8', errors='replace') as f:
            for line in f:
                test = json.loads(line) if line.strip() else {'result': 'IGNORED'}
                result = test['result']
                passed += result in PASSED
                if result == 'SKIP':
                    run = os.path.splitext(os.path.basename(path))[0]
                    skipped.append(f'{run}: {test["name"].split(" / ")[-1]}')
                failed += result not in PASSED and result not in NEITHER
    if skipped:
        print(f'{len(skipped)} skipped: {", ".join(skipped)}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
