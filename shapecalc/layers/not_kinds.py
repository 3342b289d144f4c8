"""The classes of torch.nn that are not kinds, each with the reason: what a spec has in their place."""

from shapecalc.layers.class_names import snake_case

_HOLDS = "it holds layers and does nothing itself; a spec writes them as a list, a block or a `repeat`"
_LAZY = "it becomes {kind} at its first call; here {kind} always infers what is left out"

NOT_KINDS: dict[str, str] = {
    "Container": "it is torch's old name of Module",
    "DataParallel": "it runs a module on several devices and changes none of its shapes",
    "Module": "it is the base of all modules; a kind of your own derives from shapecalc.Layer",
    "ModuleDict": _HOLDS,
    "ModuleList": _HOLDS,
    "NLLLoss2d": "it is torch's old name of NLLLoss; write nll_loss",
    "ParameterDict": "it holds tensors and has no forward",
    "ParameterList": "it holds tensors and has no forward",
    "RNNBase": "it is the base of RNN, LSTM and GRU; write rnn, lstm or gru",
    "RNNCellBase": "it is the base of RNNCell, LSTMCell and GRUCell; write rnn_cell, lstm_cell or gru_cell",
    "Sequential": _HOLDS,
    **{
        f"Lazy{name}{rank}d": _LAZY.format(kind=f"{kind}{rank}d")
        for name, kind in (
            ("BatchNorm", "batch_norm"),
            ("Conv", "conv"),
            ("ConvTranspose", "conv_transpose"),
            ("InstanceNorm", "instance_norm"),
        )
        for rank in (1, 2, 3)
    },
    "LazyLinear": _LAZY.format(kind="linear"),
}
"""The reason for every class, without the name in front."""


def reason(kind: str) -> str:
    """Return why there is no kind of this name, if torch has such a class, or nothing.

    >>> reason("data_parallel")
    'torch.nn.DataParallel is no kind: it runs a module on several devices and changes none of its shapes'
    """
    for name, why in NOT_KINDS.items():
        if kind == snake_case(name):
            return f"torch.nn.{name} is no kind: {why}"
    return ""
