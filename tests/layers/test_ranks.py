"""Classes for a rank, which are made when they are first used."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from shapecalc import layers
from shapecalc.layers import Conv2d, GlobalAvgPool3d
from shapecalc.layers.base import Kind
from shapecalc.layers.conv import Convolution
from shapecalc.layers.declaration import RANKED
from shapecalc.views.catalogue import description

AT_ONCE = """
import sys, threading
import shapecalc.layers.conv as conv, shapecalc.layers.pool as pool

sys.setswitchinterval(1e-6)
start, made = threading.Barrier(8), []

def use():
    start.wait()
    made.append((conv.Conv2d, pool.MaxPool3d))

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(made), len({*made}))
"""


def test_threads_get_the_same_class() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["8", "1"]


def test_another_process_reads_a_pickled_layer() -> None:
    layer = GlobalAvgPool3d(keepdim=True)
    script = "import pickle, sys; print(pickle.load(sys.stdin.buffer).output((1, 8, 2, 3, 4)))"
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(layer), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "(1, 8, 1, 1, 1)"


def test_every_class_is_where_it_says() -> None:
    for name in layers.__all__:
        cls = getattr(layers, name)
        assert pickle.loads(pickle.dumps(cls)) is cls
    for (module, name), (family, rank) in RANKED.items():
        made: type[Kind] = getattr(sys.modules[module], name)
        assert issubclass(made, family)
        assert made.rank == rank


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match=r"module 'shapecalc.layers.conv' has no attribute 'Conv4d'"):
        _ = sys.modules[Convolution.__module__].Conv4d


def test_a_subclass_without_a_text_has_none() -> None:
    class Bare(Conv2d, kind="bare"):
        pass

    assert Bare.__doc__ is None
    assert (Conv2d.__doc__ or "").startswith("Convolution over height and width")
    assert description("conv2d").startswith("conv2d\n\n  Convolution over height and width")
