#!/usr/bin/env python3
"""count_tests.py FAILED LOG...: sums meson's JSON logs; FAILED more failures are added. Prints one line."""
import json
import os
import sys

PASSED = {'OK', 'EXPECTEDFAIL'}
NEITHER = {'SKIP', 'IGNORED'}


def main():
    passed, failed = 0, int(sys.argv[1])
    for path in sys.argv[2:]:
        if not os.path.exists(path):
            continue
        with open(path, encoding='utf-8', errors='replace') as f:
            for line in f:
                result = json.loads(line)['result'] if line.strip() else 'IGNORED'
                passed += result in PASSED
                failed += result not in PASSED and result not in NEITHER
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
