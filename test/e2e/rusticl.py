"""What works on Mesa's rusticl with llvmpipe (22.3), where a launch takes milliseconds: mnist_8, the ten digits, and every kernel
variant of some operators."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tool_test
from tool_test import DATA, ROOT, TOOLS, run

# One of each kind of argument: structs with arrays that are read at unknown indices, arrays of strides, local memory.
OPERATORS = ['softmax', 'maxpool', 'averagepool', 'lrn', 'gather', 'relu', 'pad', 'transpose', 'concat', 'reducemean', 'scatternd']


def main():
    found = glob.glob('/etc/OpenCL/vendors/rusticl*.icd')
    if not found:
        tool_test.skip('rusticl is not installed')
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(found[0], folder)
        env = dict(os.environ, OCL_ICD_VENDORS=folder, RUSTICL_ENABLE='llvmpipe')
        if run('oclnn-info', '--list-devices', env=env)[0]:
            tool_test.skip('rusticl has no device')
        for op in OPERATORS:
            code, out, err = run('oclnn-info', f'--self-test={op}', '-q', env=env)
            print(op, out.strip().splitlines()[-1:], err)
            passed = re.search(r'(\d+) passed, 0 failed', out)
            if code or not passed or int(passed.group(1)) < 4:
                wrong.append(op)
        digits = subprocess.run(['sh', os.path.join(ROOT, 'tools', 'digits', 'recognise.sh'), TOOLS], env=env, timeout=300)
        if digits.returncode:
            wrong.append('digits')
        mnist = os.path.join(DATA, 'models', 'mnist_8')
        if os.path.isdir(mnist):
            code, out, err = run('oclnn-run', os.path.join(mnist, 'model.onnx'), '--data', mnist, env=env)
            print(out, err)
            if code or out.count('pass') != 3:
                wrong.append('mnist_8')
    print('wrong:', wrong or 'nothing')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
