"""The classes of torch.nn and keras.layers that are not kinds, each with the reason or what to write."""

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

_LOOKS_UP = "it looks values up or hashes them before the network; specs begin with the numbers it makes"
_OTHERS = "it runs a model of another framework; import that model"
_SOUND = "it makes a spectrogram of sound before the network; specs begin with what it makes"

NOT_KINDS_OF_KERAS: dict[str, str] = {
    "Activation": "it is a function by its name; write the function's kind, as relu or softmax",
    "CategoryEncoding": "it makes vectors of integers before the network; specs begin with these",
    "Discretization": _LOOKS_UP,
    "FlaxLayer": _OTHERS,
    "HashedCrossing": _LOOKS_UP,
    "Hashing": _LOOKS_UP,
    "InputLayer": "it is an input, which a spec declares under `input`",
    "InputSpec": "it is a condition on inputs, and no layer",
    "IntegerLookup": _LOOKS_UP,
    "JaxLayer": _OTHERS,
    "Lambda": "it is any function; write what the function does, or import the model",
    "Layer": "it is the base of all layers; a kind of your own derives from shapecalc.Layer",
    "MaxNumBoundingBoxes": "it changes boxes beside images, and no tensor",
    "MelSpectrogram": _SOUND,
    "Pipeline": _HOLDS,
    "STFTSpectrogram": _SOUND,
    "StackedRNNCells": "it holds cells; rnn_of_cells takes a list of them",
    "StringLookup": _LOOKS_UP,
    "TFSMLayer": _OTHERS,
    "TextVectorization": _LOOKS_UP,
    "TorchModuleWrapper": "it runs a torch module; import that module",
    "Wrapper": "it is the base of layers around a layer, such as time_distributed",
}
"""The same for keras.layers."""


def reason(kind: str, framework: str = "torch") -> str:
    """Return why there is no kind of this name, if the framework has such a class, or nothing.

    >>> reason("data_parallel")
    'torch.nn.DataParallel is no kind: it runs a module on several devices and changes none of its shapes'
    """
    home, reasons = ("keras.layers", NOT_KINDS_OF_KERAS) if framework == "keras" else ("torch.nn", NOT_KINDS)
    for name, why in reasons.items():
        if kind == snake_case(name):
            return f"{home}.{name} is no kind: {why}"
    return ""
