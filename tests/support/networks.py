"""Random whole networks: Python trees that use every part of the spec language.

Nearly every step is drawn so that it fits whatever image arrives (windows are padded, channels are
asked for by formula), so a network of any shape of tree is legal without any bookkeeping of shapes.
ErrorContext one network in five gets one step that does not fit, somewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from shapecalc import Block, Call, Model, Sequential, Side, Step
from shapecalc.layers import (
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm2d,
    Chunk,
    Concat,
    Conv2d,
    ConvTranspose2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    Identity,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Multiply,
    PReLU,
    ReLU,
    SeparableConv2d,
    Sigmoid,
    Split,
    Upsample,
    ZeroPad2d,
)

Steps: TypeAlias = list[Any]
T = TypeVar("T")
BOTH = (True, False)
FLAGS: tuple[bool | str, ...] = ("flag", *BOTH)


@dataclass(frozen=True)
class Room:
    """What a list of steps may use: whether sizes must stay, the names of numbers, and how deep it is."""

    keeps_size: bool
    numbers: tuple[str, ...]
    depth: int
    in_block: bool = False

    def inside(self, *numbers: str, keeps_size: bool = True) -> Room:
        """Return the room of a branch or a loop in this one."""
        return Room(self.keeps_size or keeps_size, (*self.numbers, *numbers), self.depth + 1, self.in_block)


class Plan:
    """A network in the making."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.blocks: dict[str, Block] = {}
        self.callable: list[tuple[str, bool]] = []
        self.names = 0
        self.illegal_left = 1 if self.chance(3) else 0

    def draw(self, strategy: st.SearchStrategy[T]) -> T:
        return self._draw(strategy)

    def chance(self, one_in: int) -> bool:
        """Return True once in so many draws (and never in the simplest case)."""
        return self.draw(st.integers(0, one_in - 1)) == one_in - 1

    def one_of(self, *choices: T) -> T:
        return self.draw(st.sampled_from(choices))

    def name(self) -> str:
        """Return a name that no step has yet."""
        self.names += 1
        return f"n{self.names}"

    def number(self, room: Room) -> int | str:
        """Return a small number: itself, or an expression over what is in scope."""
        if not room.numbers or self.chance(2):
            return self.one_of(1, 2, 3, 4, 6)
        name = self.one_of(*room.numbers)
        return self.one_of(
            name,
            f"{name} + 1",
            f"2*({name})",
            f"max({name}, 3) // 1",
            f"min({name}, 5)",
            f"({name}) % 3 + 1",
        )

    def condition(self, room: Room) -> bool | str:
        choices: list[bool | str] = [
            "flag",
            "not flag",
            "in_channels > 3",
            "in_channels % 2 == 0 and flag",
            "size(2) >= 6",
            "size(-1) == size(-2)",
            "word == 'relu'",
            True,
            False,
            *(f"{name} != 2" for name in room.numbers),
        ]
        return self.one_of(*choices)

    # ---- steps

    def steps(self, room: Room, least: int = 0) -> Steps:
        """Return steps that accept any image."""
        found: Steps = []
        for _ in range(self.draw(st.integers(least, 3 if room.depth else 6))):
            found += self.part(room)
        if self.illegal_left and self.chance(3):
            self.illegal_left = 0
            position = self.draw(st.integers(0, len(found)))
            found.insert(position, self.misfit())
        return found

    def part(self, room: Room) -> Steps:
        parts: list[Callable[[Room], Steps]] = [self.layer, self.layer, self.layer]
        if room.depth < 3:
            parts += [
                self.residual,
                self.joined,
                self.gated,
                self.in_a_row,
                self.repeated,
                self.growing,
                self.conditional,
                self.shared,
                self.by_name,
                self.in_pieces,
            ]
            if self.callable:
                parts += [self.called, self.called, self.shared_block]
            if room.depth == 0:
                parts.append(self.beside)
        return self.one_of(*parts)(room)

    def layer(self, room: Room) -> Steps:
        return [self.step(self.image_layer(room))]

    def step(self, body: Any, **more: Any) -> Any:
        if self.chance(3):
            more["name"] = self.name()
        if self.chance(8):
            more["trainable"] = False
        return Step(body, **more) if more else body

    def image_layer(self, room: Room) -> Any:
        out = self.number(room)
        choices: list[Any] = [
            Conv2d(out_channels=out, kernel_size=3, padding=1, bias=self.one_of(*FLAGS)),
            Conv2d(out_channels=out, kernel_size=1),
            Conv2d(out_channels=out, kernel_size=[3, 1], padding="same"),
            Conv2d(out_channels="2*in_channels", kernel_size=3, padding=2, dilation=2, groups="in_channels"),
            Conv2d(in_channels="in_channels", out_channels=out, kernel_size=1),
            DepthwiseConv2d(kernel_size=3, padding=1),
            SeparableConv2d(out_channels=out, kernel_size=3, padding=1),
            BatchNorm2d(),
            BatchNorm2d(num_features="in_channels", affine=self.one_of(*BOTH)),
            GroupNorm(num_groups=1),
            PReLU(num_parameters="in_channels"),
            ReLU(),
            LeakyReLU(negative_slope=0.3),
            Dropout(p=0.25),
            Identity(),
            MaxPool2d(kernel_size=3, stride=1, padding=1),
            Call("word"),
            Call("kind", out_channels=out, kernel_size=1),
        ]
        if not room.keeps_size:
            choices += [
                Conv2d(out_channels=out, kernel_size=3, stride=2, padding=1),
                Conv2d(out_channels=out, kernel_size=["size(2)", "size(3)"]),
                ConvTranspose2d(out_channels=out, kernel_size=2, stride=2),
                MaxPool2d(kernel_size=3, stride=2, padding=1),
                MaxPool2d(kernel_size=2, ceil_mode=True, padding=1),
                AvgPool2d(kernel_size=2, stride=1, padding=1),
                Upsample(scale_factor=2),
                ZeroPad2d(padding=[[0, 1], [1, 2]]),
                AdaptiveAvgPool2d(output_size=["size(3)", 3]),
            ]
        return self.one_of(*choices)

    def residual(self, room: Room) -> Steps:
        start = self.name()
        shortcut: Any = self.one_of(start, [])
        main = [*self.steps(room.inside()), Conv2d(out_channels=f"size({start}, 1)", kernel_size=1)]
        return [Step(Identity(), name=start), self.step(Add(main=main, shortcut=shortcut))]

    def joined(self, room: Room) -> Steps:
        branches = {f"b{number}": self.steps(room.inside()) for number in range(self.one_of(1, 2, 3))}
        fields: dict[str, Any] = {"dim": -3} if self.chance(3) else {}
        return [self.step(Concat(**branches, **fields))]

    def gated(self, room: Room) -> Steps:
        start = self.name()
        gate = [
            AdaptiveAvgPool2d(output_size=1),
            Conv2d(out_channels=f"size({start}, 1)", kernel_size=1),
            Sigmoid(),
        ]
        return [Step(Identity(), name=start), self.step(Multiply([], gate))]

    def in_a_row(self, room: Room) -> Steps:
        return [self.step(Sequential(self.steps(room.inside(keeps_size=False))))]

    def repeated(self, room: Room) -> Steps:
        repeat: Any = self.one_of(
            0, 1, 2, "depth", {"i": 2}, {"i": "depth"}, {"w": "widths"}, {"w": [3, "depth + 1"]}
        )
        numbers = ["w"] if isinstance(repeat, dict) and "w" in repeat else []
        if isinstance(repeat, dict) and "i" in repeat:
            numbers = self.one_of([], [], ["i + 1"])
        if self.chance(3):
            return [self.step(self.image_layer(room.inside(*numbers)), repeat=repeat)]
        return [self.step(Sequential(self.steps(room.inside(*numbers))), repeat=repeat)]

    def growing(self, room: Room) -> Steps:
        """Passes that are alike, that add as much each time, or of which the first is another."""
        out = self.number(room)
        dense = Concat(before=[], new=[*self.steps(room.inside()), Conv2d(out_channels=out, kernel_size=1)])
        wide = Conv2d(out_channels=f"in_channels + {self.one_of(1, 3)}", kernel_size=3, padding=1)
        thin = Conv2d(out_channels=out, kernel_size=[1, 3])
        first: Any = [
            Step(Conv2d(out_channels=4, kernel_size=1), when="i == 0"),
            Conv2d(out_channels="2*in_channels if i == 0 else in_channels", kernel_size=1),
        ]
        bodies: list[Any] = [dense, wide, Sequential([dense, BatchNorm2d()]), Sequential(first)]
        if not room.keeps_size:
            bodies += [thin, thin]
        body = self.one_of(*bodies)
        repeat: Any = {"i": "depth"} if isinstance(body, Sequential) else self.one_of("depth", "depth + 1")
        return [self.step(body, repeat=repeat)]

    def conditional(self, room: Room) -> Steps:
        body = (
            self.image_layer(room)
            if self.chance(2)
            else Sequential(self.steps(room.inside(keeps_size=False)))
        )
        return [self.step(body, when=self.condition(room))]

    def shared(self, room: Room) -> Steps:
        """The same weights twice: written again, or the step run again, as a whole or one pass of it."""
        owner, width = self.name(), self.number(room)
        layer = Conv2d(out_channels=width, kernel_size=3, padding=1)
        dilated = Conv2d(out_channels=width, kernel_size=3, padding=2, dilation=2)
        body = self.one_of(layer, Sequential([Step(layer, name="conv"), ReLU()]))
        times = self.one_of(None, None, 2)
        more = {} if times is None else {"repeat": times}
        users: list[Any] = [Step(share=owner), Step(share=owner, repeat=2)]
        if times:
            users.append(Step(share=f"{owner}.1"))
        if body is not layer:
            users.append(Step(dilated, share=f"{owner}.1.conv" if times else f"{owner}.conv"))
        elif not times:
            users += [Step(dilated, share=owner), Step(dilated, share=owner, repeat=3)]
        same = Conv2d(out_channels=width, kernel_size=1)
        return [same, Step(body, name=owner, **more), BatchNorm2d(), self.one_of(*users)]

    def by_name(self, room: Room) -> Steps:
        """Two chains from one tensor, put together by name."""
        start, left, right = self.name(), self.name(), self.name()
        inner = room.inside()
        merge = self.one_of(Concat(), Concat(dim=1))
        return [
            Step(Identity(), name=start),
            Step(Sequential([*self.steps(inner), Step(ReLU(), name="last")]), name=left),
            Step(
                Sequential([Step(Identity(), name="first"), *self.steps(inner)]),
                name=right,
                **{"from": start},
            ),
            self.step(merge, **{"from": [f"{left}.last", self.one_of(right, f"{right}.first"), start]}),
        ]

    def in_pieces(self, room: Room) -> Steps:
        """A tensor cut in two, and both pieces used."""
        width, pieces = self.number(room), self.name()
        cut = self.one_of(Split(dim=1, split_size=width), Chunk(dim=1, chunks=2))
        whole = Conv2d(out_channels=f"2*({width})", kernel_size=1)
        use = self.one_of(Concat(), Add(), Multiply())
        return [whole, Step(cut, name=pieces), Step(use, **{"from": [f"{pieces}.1", pieces]})]

    def called(self, room: Room) -> Steps:
        fitting = [name for name, keeps_size in self.callable if keeps_size or not room.keeps_size]
        if not fitting:
            return self.layer(room)
        name = self.one_of(*fitting)
        steps: Steps = []
        more: dict[str, Any] = {}
        arguments: dict[str, Any] = {"width": self.number(room)}
        if "skip" in self.blocks[name].args:
            tensor = self.name()
            steps.append(Step(Identity(), name=tensor))
            arguments |= {"skip": tensor, "width": f"size({tensor}, 1)"}
        elif self.chance(4):
            more["repeat"] = self.one_of(0, 2, "depth")
        if self.chance(2):
            arguments["act"] = self.one_of("sigmoid", "word", "relu", "batch_norm2d")
        if self.chance(2):
            arguments["twice"] = self.number(room)
        return [*steps, self.step(Call(name, **arguments), **more)]

    def shared_block(self, room: Room) -> Steps:
        plain = [
            name for name, keeps_size in self.callable if keeps_size and "skip" not in self.blocks[name].args
        ]
        if not plain:
            return self.layer(room)
        owner, name, width = self.name(), self.one_of(*plain), self.number(room)
        same = Conv2d(out_channels=4, kernel_size=1)
        body = Call(name, width=width)
        return [same, Step(body, name=owner), same, self.one_of(Step(share=owner), Step(body, share=owner))]

    def beside(self, room: Room) -> Steps:
        steps = [
            *self.steps(room.inside(keeps_size=False)),
            GlobalAvgPool2d(),
            Flatten(),
            Linear(out_features=3),
        ]
        body = Side(steps)
        return [Step(body, name=self.name()) if self.chance(2) else body]

    def misfit(self) -> Any:
        """Return a step that torch refuses for nearly every image."""
        return self.one_of(
            Conv2d(in_channels="in_channels + 1", out_channels=2, kernel_size=1),
            Conv2d(out_channels=2, kernel_size=[1, 99]),
            Conv2d(out_channels=3, kernel_size=1, groups="in_channels + 1"),
            Conv2d(out_channels=2, kernel_size=["size(2) + 1", 1]),
            BatchNorm2d(num_features="in_channels + 2"),
            GroupNorm(num_groups="2*in_channels"),
            PReLU(num_parameters="in_channels + 1"),
            Linear(in_features="size(-1) + 1", out_features=2),
            ConvTranspose2d(out_channels=2, kernel_size=2, stride=2, output_padding=2),
            MaxPool2d(kernel_size=2, padding=2),
            AvgPool2d(kernel_size="size(3) + 1"),
            Flatten(start_dim=5),
            Concat([], [MaxPool2d(kernel_size=3, stride=1)]),
            Add([Conv2d(out_channels=5, kernel_size=1)], [Conv2d(out_channels=7, kernel_size=1)]),
            Sequential([Flatten(), Conv2d(out_channels=2, kernel_size=1)]),
        )

    # ---- the whole

    def block(self, name: str) -> None:
        """Add a block; it may call the blocks before it."""
        keeps_size = self.one_of(*BOTH)
        takes_skip = self.chance(4)
        args: dict[str, Any] = {"width": None, "act": "relu", "twice": "2*width"}
        room = Room(keeps_size or takes_skip, ("width", "twice", "base"), 2, in_block=True)
        steps = self.steps(room, 1)
        if takes_skip:
            args["skip"] = None
            fit = [*steps, Conv2d(out_channels="width", kernel_size=1)]
            steps = [Add(main=fit, other="skip")]
        self.blocks[name] = Block(args=args, layers=(*steps, Call("act")))
        self.callable.append((name, room.keeps_size))

    def model(self) -> Model:
        for number in range(self.one_of(0, 0, 1, 2)):
            self.block(f"block{number}")
        inputs: dict[str, Any] = {"input": [self.one_of(1, 3, "base"), "H", "W"]}
        first: Steps = []
        if self.chance(3):
            inputs = {"x": [3, "H", "W"], "y": [2, "H", "W"]}
            first = [Concat(one=[], two=self.one_of("y", [ReLU()]))]
        layers = [*first, *self.steps(Room(keeps_size=False, numbers=("base",), depth=0), 1)]
        last = self.one_of("none", "flat", "pooled")
        if last == "flat":
            layers += [Flatten(), Linear(out_features="classes")]
        elif last == "pooled":
            layers += [GlobalAvgPool2d(), Flatten(), Step(Linear(out_features="classes"), name="head")]
        parameters = {
            "H": self.draw(st.integers(1, 14)),
            "W": self.draw(st.integers(1, 14)),
            "base": self.one_of(1, 2, 3, 4),
            "classes": "5*base",
            "depth": self.one_of(1, 2, 0, 3),
            "widths": self.one_of([2, 3], [1], []),
            "flag": self.one_of(*BOTH),
            "word": self.one_of("relu", "sigmoid", "batch_norm2d"),
            "kind": self.one_of("conv2d", "separable_conv2d"),
        }
        named = [step.name for step in layers if isinstance(step, Step) and step.name and step.when is None]
        outputs: Any = None
        if named and self.chance(3):
            outputs = self.one_of([named[-1]], {"first": named[0], "last": named[-1]})
        more = {} if outputs is None else {"outputs": outputs}
        return Model(
            name="random", parameters=parameters, input=inputs, blocks=self.blocks, layers=layers, **more
        )


@st.composite
def networks(draw: st.DrawFn) -> Model:
    """Draw a network, legal in about four of five draws."""
    return Plan(draw).model()


def questions() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Draw several ways to analyse one network, one after the other; they change little at a time."""
    one = st.fixed_dictionaries(
        {},
        optional={
            "H": st.integers(1, 14),
            "W": st.integers(1, 14),
            "base": st.sampled_from([1, 2, 3]),
            "flag": st.booleans(),
            "depth": st.integers(0, 2),
            "word": st.sampled_from(["relu", "sigmoid"]),
            "widths": st.lists(st.integers(1, 4), max_size=2),
            "batch": st.sampled_from([1, 2]),
            "symbolic": st.sampled_from([("H", "W"), "H", ("batch",), ("base",), ("depth",), ("depth", "H")]),
        },
    )
    free = st.builds(
        lambda found: found if "symbolic" not in found else without(found, found["symbolic"]), one
    )
    return st.lists(free, min_size=2, max_size=5)


def without(question: dict[str, Any], free: Any) -> dict[str, Any]:
    """Return a question that gives no value to what it leaves free."""
    names = (free,) if isinstance(free, str) else free
    return {name: value for name, value in question.items() if name not in names}


__all__ = ["networks", "questions"]
