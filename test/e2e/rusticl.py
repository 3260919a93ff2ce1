"""Mesa's rusticl with llvmpipe (22.3), where a launch takes milliseconds and a convolution of an image seconds: every kernel
variant of some operators, the ten digits, test data of three models. About 50 s of processor time with empty caches; with
--all every operator and every model whose test data take less than a minute on it."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tool_test
from tool_test import DATA, ROOT, TOOLS, run

ALL = '--all' in sys.argv
# One of each kind of argument and memory: structs that are read at unknown indices, arrays of strides, local memory, private
# arrays, f16; not those whose tiles compile for 10 to 20 s each (conv, gemm, convtranspose and their gradients).
OPERATORS = ['softmax', 'maxpool', 'averagepool', 'lrn', 'gather', 'relu', 'pad', 'transpose', 'concat', 'reducemean', 'scatternd',
             'resize', 'lstm', 'matmul', 'layernormalization', 'topk', 'sigmoid']
MODELS = {'mnist_8': 3, 'resnet20_cifar10': 1, 'silero_vad': 4}  # and how many outputs are compared
MORE = {'light_shufflenet': 1, 'squeezenet': 2, 'squeezenet_fp16': 1, 'ultraface_rfb_320': 2, 'ppocr_v2_rec_en': 1, 'lstr': 5}


def self_test(op, env):
    """What is wrong with an operator's kernels: '' if nothing. Names the operators whose process the driver ended."""
    done = subprocess.run([os.path.join(TOOLS, 'oclnn-info'), f'--self-test={op}' if op else '--self-test', '-q'], env=env,
                          capture_output=True, text=True, timeout=7200 if ALL else 600)
    passed = re.search(r'(?m)^(\d+) passed, 0 failed', done.stdout)
    print(op or 'all operators', done.stdout.strip().splitlines()[-1:], done.stderr, flush=True)
    return '' if done.returncode == 0 and passed and int(passed.group(1)) >= 1 else done.stdout


def model(name, outputs, env):
    """The same for a model's test data, or for the first of its sets."""
    folder = os.path.join(DATA, 'models', name)
    if not os.path.isdir(folder):
        return ''
    data = os.path.join(folder, 'test_data_set_0') if name == 'resnet20_cifar10' and not ALL else folder
    done = subprocess.run([os.path.join(TOOLS, 'oclnn-run'), os.path.join(folder, 'model.onnx'), '--data',
                           data], env=env, capture_output=True, text=True, timeout=600)
    print(name, done.stdout, done.stderr, flush=True)
    return '' if done.returncode == 0 and done.stdout.count('pass') >= outputs else done.stdout + done.stderr + ' '


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
        wrong += [op or text for op in ([None] if ALL else OPERATORS) for text in [self_test(op, env)] if text]
        digits = subprocess.run(['sh', os.path.join(ROOT, 'tools', 'digits', 'recognise.sh'), TOOLS], env=env, timeout=600)
        if digits.returncode:
            wrong.append('digits')
        models = {**MODELS, **MORE} if ALL else MODELS
        wrong += [name for name, outputs in models.items() if model(name, outputs, env)]
    print('wrong:', wrong or 'nothing')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
