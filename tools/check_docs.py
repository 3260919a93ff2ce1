#!/usr/bin/env python3
"""Checks that every public function has a comment of its own, in front of it or behind it on its line, and that the
comment of one that returns a status tells the errors, unless the header does for all of its functions."""
import re
import sys

from source_text import all_files, read, report

FUNCTION = re.compile(r'^OCLNN_API\s+([^;]*?)(\boclnn_\w+)\(', re.M)


def comment_before(text, at):
    head = text[:at].rstrip()
    return head[head.rindex('/*'):] if head.endswith('*/') and '/*' in head else ''


def main():
    errors = []
    for path in sorted(p for p in all_files() if re.fullmatch(r'include/oclnn/\w+\.h', p)):
        text = read(path)
        for_all = re.search(r'Errors of all', text)
        for f in FUNCTION.finditer(text):
            end = text.index(';', f.start())
            behind = text[end + 1:text.find('\n', end)]
            comment = comment_before(text, f.start())
            line = text.count('\n', 0, f.start()) + 1
            if not comment.startswith('/**') and '/**<' not in behind:
                errors.append(f'{path}:{line}: {f.group(2)} has no comment')
            elif 'enum oclnn_status' in f.group(1) and not for_all and not re.search(r'Errors|The same', comment):
                errors.append(f'{path}:{line}: the comment of {f.group(2)} tells no errors')
    return report(errors, 'docs')


if __name__ == '__main__':
    sys.exit(main())
