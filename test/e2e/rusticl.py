"""mnist_8 on Mesa's rusticl with llvmpipe: right, but a launch takes milliseconds."""
import glob
import os
import shutil
import sys
import tempfile

import tool_test
from tool_test import DATA, run


def main():
    found = glob.glob('/etc/OpenCL/vendors/rusticl*.icd')
    if not found:
        tool_test.skip('rusticl is not installed')
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(found[0], folder)
        env = dict(os.environ, OCL_ICD_VENDORS=folder, RUSTICL_ENABLE='llvmpipe')
        if run('oclnn-info', '--list-devices', env=env)[0]:
            tool_test.skip('rusticl has no device')
        mnist = os.path.join(DATA, 'models', 'mnist_8')
        if not os.path.isdir(mnist):
            tool_test.skip('no models here')
        code, out, err = run('oclnn-run', os.path.join(mnist, 'model.onnx'), '--data', mnist, env=env)
        print(code, out, err)
    return 1 if code != 0 or out.count('pass') != 3 else 0


if __name__ == '__main__':
    sys.exit(main())
