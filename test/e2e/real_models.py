"""The ONNX models that tests and figures go through: those of ../shared/data/models, and four large ones with random weights
that ../shared/tools/make_models.py makes (it needs onnx and onnxruntime; a folder of made ones is taken from
OCLNN_MADE_MODELS)."""
import atexit
import glob
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile

from tool_test import DATA

MADE = ['densenet121', 'inception_v1', 'resnet50', 'shufflenet']
# Half precision, and a reference that another engine computed; else 1e-3.
TOLERANCE = {'squeezenet_fp16': '1e-2', 'light_densenet121': '2e-3'}


class Model:
    def __init__(self, folder, is_made=False):
        self.folder, self.is_made = folder, is_made
        self.name = ('made_' if is_made else '') + os.path.basename(folder)
        self.file = os.path.join(folder, 'model.onnx')
        self.sets = sorted(glob.glob(os.path.join(folder, 'test_data_set_*')))
        self.tolerance = TOLERANCE.get(self.name, '1e-3')


def stored():
    """The models that lie beside the project; none where there are no such files."""
    return [Model(os.path.dirname(path)) for path in sorted(glob.glob(os.path.join(DATA, 'models', '*', 'model.onnx')))]


def made():
    """The four made ones, or (nothing, why)."""
    folder = os.environ.get('OCLNN_MADE_MODELS')
    if not folder:
        script = os.path.join(os.path.dirname(DATA), 'tools', 'make_models.py')
        missing = [name for name in ('numpy', 'onnx', 'onnxruntime') if not importlib.util.find_spec(name)]
        if not os.path.exists(script):
            return [], 'no ../shared/tools/make_models.py'
        if missing:
            return [], f'Python has no {", ".join(missing)}; a folder of made models can be given as OCLNN_MADE_MODELS'
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        done = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
        if done.returncode:
            return [], f'make_models.py failed: {done.stderr.strip()[-300:]}'
    models = [Model(os.path.join(folder, name), True) for name in MADE]
    missing = [m.name for m in models if not os.path.exists(m.file)]
    return ([], f'{folder} has no {", ".join(missing)}') if missing else (models, None)


def sample(things, count, what):
    """`count` of them, the same ones for the same OCLNN_TEST_SEED, in their order."""
    seed = os.environ.get('OCLNN_TEST_SEED', '1')
    chosen = random.Random(f'{what} {seed}').sample(range(len(things)), min(count, len(things)))
    return [things[i] for i in sorted(chosen)]
