"""Real models give the promised answers with each pass of the planner switched off, and with all of them.
usage: passes.py [TOOLS] [--all]; without --all a sample of the pairs chosen by OCLNN_TEST_SEED."""
import re
import sys

import real_models
import tool_test
from tool_test import run

ALL = '--all' in sys.argv


def passes(model):
    """Their names, from the library's own mouth."""
    code, _, err = run('oclnn-run', model.file, '--data', model.folder, '--passes-off', 'no-such-pass')
    found = re.search(r'no pass is called "no-such-pass".*: ([a-z]+(?:, [a-z]+)*)', err)
    if code != 1 or not found:
        raise SystemExit(f'a pass that does not exist is not refused: exit status {code}, {err}')
    return found.group(1).split(', ')


def main():
    models = real_models.stored()
    if not models:
        tool_test.skip('no ../shared/data')
    if not tool_test.has_device():
        tool_test.skip('no OpenCL device')
    names = passes(models[0])
    lists = names + [','.join(names)]
    if ALL:
        large, why = real_models.made()
        models += large
        if why:
            print(f'skipped: the made models: {why}')
    pairs = [(model, off) for model in models for off in lists]
    chosen = pairs if ALL else real_models.sample(pairs, 4, 'passes')
    right = 0
    for model, off in chosen:
        code, out, err = run('oclnn-run', model.file, '--data', model.folder, '--tol', model.tolerance, '--passes-off', off)
        ok = code == 0 and out.count(': pass') >= len(model.sets) > 0
        right += ok
        if not ok or not ALL:
            print(f'{"ok  " if ok else "MISS"}  {model.name} without {off if off in names else "any pass"}'
                  + ('' if ok else f': {err.strip()[-500:]}'), flush=True)
    print(f'{"ok  " if right == len(chosen) else "MISS"}  {len(models)} models, each of {len(names)} passes off and all: '
          f'{right} of {len(chosen)} pairs right, {len(pairs)} there are (bar: all)')
    return right != len(chosen)


if __name__ == '__main__':
    sys.exit(main())
