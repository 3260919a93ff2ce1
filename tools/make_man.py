#!/usr/bin/env python3
"""make_man.py TOOL TEXT.scd: prints the manual page's scdoc source. A line @OPTIONS@ in the text becomes what the tool's
--help says about options, so that the page cannot miss one; @VERSION@ becomes the version."""
import re
import subprocess
import sys

OPTION = re.compile(r'^ {2,6}-')
NAME = re.compile(r'--?[\w-]+')


def ask(tool, option):
    return subprocess.run([tool, option], capture_output=True, text=True, check=True).stdout


def escape(text):
    return re.sub(r'^-|([\\*_<~#`\[\].|])', r'\\\g<0>', text)


def option_line(head):
    """'-d, --device DEV': names bold, the rest underlined."""
    parts = []
    for part in head.split(', '):
        names = NAME.match(part)
        name, value = (names.group(0), part[names.end():]) if names else (part, '')
        value = value.strip()
        parts.append(f'*{escape(name)}*' + (f' _{escape(value)}_' if value else ''))
    return ', '.join(parts)


def paragraphs(help_text):
    for block in help_text.split('\n\n'):
        lines = block.rstrip('\n').split('\n')
        if lines and any(OPTION.match(line) for line in lines):
            yield lines


def options(help_text):
    out = []
    for lines in paragraphs(help_text):
        if not lines[0].startswith(' '):
            out += ['## ' + lines.pop(0), '']
        text = []
        for line in lines + ['  -']:
            if not OPTION.match(line):
                text.append(line.strip())
                continue
            if text:
                bullet = '\t- ' if any('  ' in part for part in text) else '\t'
                out += [head] + [bullet + escape(re.sub(r' +', ' ', part)) for part in text if part] + ['']
            first, _, rest = re.sub(r' {2,}', '\0', line.strip(), count=1).partition('\0')
            head, text = option_line(first), [rest]
    return '\n'.join(out)


def main():
    tool, source = sys.argv[1:]
    help_text = ask(tool, '--help')
    with open(source, encoding='utf-8') as f:
        page = f.read()
    status = re.search(r'(?ms)^Exit status: (.*?)\Z', help_text).group(1)
    page = page.replace('@OPTIONS@', options(help_text))
    page = page.replace('@STATUS@', escape(status.strip()))
    print(page.replace('@VERSION@', ask(tool, '--version').split()[1]), end='')


if __name__ == '__main__':
    main()
