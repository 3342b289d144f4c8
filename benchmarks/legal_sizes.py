"""Compare the legal sizes of small networks, as people write them, with real runs at sides from 1 to 256.

    python benchmarks/legal_sizes.py             # all of them; a few minutes
    python benchmarks/legal_sizes.py unet_crop   # these

`exact`: the legal sides are those at which torch runs the network (on meta tensors). `refused`: the import or
the question is, with the reason. Anything else is `wrong`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import shapecalc

SIDES = range(1, 257)
TRACED = (128, 125)
"""The side of the trace: the first that the network takes."""


class Net(nn.Module):
    """A forward that is a function of the module and its input, over parts by name."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def conv(inputs: int, outputs: int, size: int = 3, **settings: Any) -> nn.Module:
    return nn.Conv2d(inputs, outputs, size, **settings)


def same(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(conv(inputs, outputs, padding=1, stride=stride), nn.BatchNorm2d(outputs), nn.ReLU())


# ---- U-Nets


def unet(join: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], *, valid: bool = False) -> nn.Module:
    """A U-Net of three levels whose skips are joined by a function of the skip and what is upsampled."""

    def forward(net: Any, x: Tensor) -> Any:
        first = net.down1(x)
        second = net.down2(functional.max_pool2d(first, 2))
        y = net.up2(net.middle(functional.max_pool2d(second, 2)))
        y = net.join2(torch.cat(join(second, y), 1))
        return net.head(net.join1(torch.cat(join(first, net.up1(y)), 1)))

    block = conv if valid else same
    return Net(
        forward,
        down1=block(3, 4),
        down2=block(4, 8),
        middle=block(8, 16),
        up2=nn.ConvTranspose2d(16, 8, 2, stride=2),
        join2=block(16, 8),
        up1=nn.ConvTranspose2d(8, 4, 2, stride=2),
        join1=block(8, 4),
        head=conv(4, 2, 1),
    )


def plain(skip: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return skip, y


def crop_to_upsampled(skip: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return skip[:, :, : y.shape[2], : y.shape[3]], y


def crop_to_skip(skip: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return skip, y[:, :, : skip.size(2), : skip.size(3)]


def crop_to_centre(skip: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    top, left = (skip.shape[2] - y.shape[2]) // 2, (skip.shape[3] - y.shape[3]) // 2
    return skip[:, :, top : top + y.shape[2], left : left + y.shape[3]], y


def pad_by_difference(skip: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = skip.size(2) - y.size(2), skip.size(3) - y.size(3)
    return skip, functional.pad(y, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])


def resize_to_skip(skip: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return skip, functional.interpolate(y, size=skip.shape[2:], mode="bilinear", align_corners=False)


# ---- others


def segnet(net: Any, x: Tensor) -> Any:
    x, first = functional.max_pool2d(net.a(x), 2, return_indices=True)
    x, second = functional.max_pool2d(net.b(x), 2, return_indices=True)
    x = functional.max_unpool2d(x, second, (2, 2))
    return net.d(functional.max_unpool2d(net.c(x), first, (2, 2)))


def segnet_of_sizes(net: Any, x: Tensor) -> Any:
    whole = x.size()
    x, first = functional.max_pool2d(net.a(x), 2, return_indices=True)
    half = x.size()
    x, second = functional.max_pool2d(net.b(x), 2, return_indices=True)
    x = functional.max_unpool2d(x, second, (2, 2), output_size=half)
    return net.d(functional.max_unpool2d(net.c(x), first, (2, 2), output_size=whole[2:]))


def pyramid(net: Any, x: Tensor) -> Any:
    levels = [net.a(x)]
    for stage in (net.b, net.c):
        levels.append(stage(levels[-1]))
    y = levels.pop()
    while levels:
        y = net.merge(functional.interpolate(y, scale_factor=2.0)) + levels.pop()
    return y


def pyramid_of_sizes(net: Any, x: Tensor) -> Any:
    first = net.a(x)
    second = net.b(first)
    third = net.c(second)
    second = second + functional.interpolate(third, size=second.shape[-2:])
    return [first + functional.interpolate(second, size=first.shape[-2:]), second, third]


def hourglass(net: Any, x: Tensor, depth: int = 3) -> Any:
    skip = net.a(x)
    y = net.b(functional.max_pool2d(x, 2))
    y = hourglass(net, y, depth - 1) if depth else net.c(y)
    return skip + functional.interpolate(y, scale_factor=2)


def high_resolution(net: Any, x: Tensor) -> Any:
    high = net.a(x)
    low = net.b(high)
    return net.c(high) + functional.interpolate(net.d(low), size=high.shape[2:]), net.b(high) + low


def inception(net: Any, x: Tensor) -> Any:
    x = net.stem(x)
    return torch.cat([net.a(x), net.b(x), functional.avg_pool2d(x, 3, 1, 1)], 1)


def reduction(net: Any, x: Tensor) -> Any:
    return torch.cat([net.a(x), functional.max_pool2d(x, 3, 2)], 1)


def dense(net: Any, x: Tensor) -> Any:
    x = net.stem(x)
    for layer in (net.a, net.b, net.c):
        x = torch.cat([x, layer(x)], 1)
    return net.head(functional.adaptive_avg_pool2d(x, 1).flatten(1))


def residual(net: Any, x: Tensor) -> Any:
    return functional.relu(net.b(net.a(x)) + net.short(x))


def shuffle(net: Any, x: Tensor) -> Any:
    first, second = net.a(x).chunk(2, dim=1)
    y = torch.cat([first, net.b(second)], 1)
    batch, channels, height, width = y.shape
    return y.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(batch, -1, height, width)


def patches(net: Any, x: Tensor) -> Any:
    return net.b(net.a(x).flatten(2).transpose(1, 2)).mean(1)


def windows(net: Any, x: Tensor) -> Any:
    batch, _, height, width = x.shape
    x = net.a(x).view(batch, 4, height // 8, 8, width // 8, 8)
    return net.b(x.permute(0, 2, 4, 3, 5, 1).reshape(-1, 64, 4))


def sampled(net: Any, x: Tensor) -> Any:
    theta = net.head(functional.adaptive_avg_pool2d(net.a(x), 3).flatten(1)).view(-1, 2, 3)
    return functional.grid_sample(x, functional.affine_grid(theta, [*x.size()]))


def subpixel(net: Any, x: Tensor) -> Any:
    return functional.pixel_shuffle(net.b(net.a(x)), 3)


def downscaled(net: Any, x: Tensor) -> Any:
    return net.a(functional.pixel_unshuffle(x, 4))


def focus(net: Any, x: Tensor) -> Any:
    return net.a(torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1))


def gated(net: Any, x: Tensor) -> Any:
    y = net.a(x)
    return y * torch.sigmoid(functional.interpolate(net.b(functional.avg_pool2d(y, 4)), scale_factor=4))


def halves(net: Any, x: Tensor) -> Any:
    y = net.a(x)
    return y[:, :, : y.size(2) // 2] + y[:, :, -(y.size(2) // 2) :]


def trimmed(net: Any, x: Tensor) -> Any:
    return net.b(functional.pad(net.a(x), (1, 2, 1, 2))[:, :, 1:, 1:])


def autoencoder(*, output_padding: int) -> nn.Module:
    up: dict[str, Any] = {"stride": 2, "padding": 1, "output_padding": output_padding}
    return Net(
        lambda net, x: x - net.decoder(net.encoder(x)),
        encoder=nn.Sequential(same(3, 4, 2), same(4, 8, 2)),
        decoder=nn.Sequential(nn.ConvTranspose2d(8, 4, 3, **up), nn.ConvTranspose2d(4, 3, 3, **up)),
    )


def discriminator(*, last: int) -> nn.Module:
    down: dict[str, Any] = {"stride": 2, "padding": 1}
    return nn.Sequential(
        conv(3, 4, 4, **down), conv(4, 8, 4, **down), conv(8, 8, 4, **down), conv(8, 1, last), nn.Flatten()
    )


def classifier(features: int, *, pool: nn.Module) -> nn.Module:
    return nn.Sequential(
        conv(3, 4, 5), nn.MaxPool2d(2), conv(4, 8, 5), pool, nn.Flatten(), nn.Linear(features, 10)
    )


def joined(**parts: nn.Module) -> nn.Module:
    return Net(residual, **parts)


STAGES = {"a": same(3, 4), "b": same(4, 4, 2), "c": same(4, 4, 2)}
NETWORKS: dict[str, nn.Module] = {
    "unet": unet(plain),
    "unet_crop": unet(crop_to_upsampled),
    "unet_crop_up": unet(crop_to_skip),
    "unet_centre": unet(crop_to_centre),
    "unet_pad": unet(pad_by_difference),
    "unet_resize": unet(resize_to_skip),
    "unet_valid_crop": unet(crop_to_upsampled, valid=True),
    "unet_valid_centre": unet(crop_to_centre, valid=True),
    "unet_valid_resize": unet(resize_to_skip, valid=True),
    "segnet": Net(segnet, a=same(3, 4), b=same(4, 4), c=same(4, 4), d=same(4, 2)),
    "segnet_of_sizes": Net(segnet_of_sizes, a=same(3, 4), b=same(4, 4), c=same(4, 4), d=same(4, 2)),
    "pyramid": Net(pyramid, merge=same(4, 4), **STAGES),
    "pyramid_of_sizes": Net(pyramid_of_sizes, **STAGES),
    "hourglass": nn.Sequential(same(3, 4), Net(hourglass, a=same(4, 4), b=same(4, 4), c=same(4, 4))),
    "high_resolution": Net(high_resolution, a=same(3, 4), b=same(4, 4, 2), c=same(4, 4), d=same(4, 4)),
    "inception": Net(
        inception, stem=conv(3, 4, stride=2), a=conv(4, 4, 1), b=nn.Sequential(conv(4, 4, 5, padding=2))
    ),
    "reduction": Net(reduction, a=conv(3, 4, stride=2)),
    "reduction_of_two": Net(reduction, a=nn.Sequential(conv(3, 4), conv(4, 4, 2, stride=2))),
    "densenet": Net(
        dense,
        stem=conv(3, 4, 7, stride=2),
        a=same(4, 4),
        b=same(8, 4),
        c=same(12, 4),
        head=nn.Linear(16, 10),
    ),
    "residual": joined(a=same(3, 4, 2), b=same(4, 4), short=conv(3, 4, 1, stride=2)),
    "residual_pool": joined(
        a=same(3, 4, 2), b=same(4, 4), short=nn.Sequential(nn.AvgPool2d(2), conv(3, 4, 1))
    ),
    "residual_pool_ceil": joined(
        a=same(3, 4, 2), b=same(4, 4), short=nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), conv(3, 4, 1))
    ),
    "shuffle": Net(shuffle, a=same(3, 8, 2), b=same(4, 4)),
    "patches": Net(patches, a=conv(3, 8, 16, stride=16), b=nn.Linear(8, 8)),
    "windows": Net(windows, a=same(3, 4), b=nn.Linear(4, 4)),
    "spatial_transformer": Net(sampled, a=conv(3, 4, 7), head=nn.Linear(36, 6)),
    "subpixel": Net(subpixel, a=conv(3, 4, 5), b=conv(4, 27)),
    "pixel_unshuffle": Net(downscaled, a=conv(48, 4)),
    "focus": Net(focus, a=same(12, 4)),
    "gated": Net(gated, a=same(3, 4), b=conv(4, 4, 1)),
    "halves": Net(halves, a=conv(3, 4)),
    "trimmed": Net(trimmed, a=conv(3, 4, 5, stride=3), b=conv(4, 4, stride=2)),
    "autoencoder": autoencoder(output_padding=1),
    "autoencoder_short": autoencoder(output_padding=0),
    "discriminator": discriminator(last=4),
    "discriminator_wide": discriminator(last=16),
    "lenet": classifier(8 * 29 * 29, pool=nn.MaxPool2d(2)),
    "lenet_adaptive": classifier(8 * 3 * 3, pool=nn.AdaptiveMaxPool2d(3)),
    "lenet_ceil": classifier(8 * 29 * 29, pool=nn.MaxPool2d(2, ceil_mode=True)),
    "dilated": nn.Sequential(conv(3, 4, dilation=8), conv(4, 4, 5, dilation=6, stride=3), conv(4, 4)),
    "reflecting": nn.Sequential(nn.ReflectionPad2d(10), conv(3, 4, 7), conv(4, 4, stride=2, padding=1)),
}


def runs(net: nn.Module, side: int) -> bool:
    """Return whether torch runs the network at a side."""
    try:
        net(torch.empty(1, 3, side, side, device="meta"))
    except (RuntimeError, ValueError, IndexError):
        return False
    return True


def measured(net: nn.Module) -> tuple[str, str]:
    """Return a verdict and what it is about."""
    net = net.eval()
    traced = next(side for side in TRACED if runs(deepcopy(net).to("meta"), side))
    try:
        legal = shapecalc.from_torch(net, input=(3, traced, traced)).sizes()
        answered = {side for side in SIDES if (side, side) in legal}
    except shapecalc.ShapecalcError as error:
        return "refused", " ".join(str(error).split())
    net = net.to("meta")
    true = {side for side in SIDES if runs(net, side)}
    if answered == true:
        return "exact", f"{len(true)} sides"
    return "wrong", f"too many {sorted(answered - true)[:9]}, missing {sorted(true - answered)[:9]}"


def main() -> None:
    """Print a line for each network, and how often each verdict is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or [*NETWORKS]
    torch.set_num_threads(1)
    verdicts: Counter[str] = Counter()
    for name in names:
        verdict, about = measured(NETWORKS[name])
        verdicts[verdict] += 1
        print(f"{name:<20}{verdict:<10}{about[:200]}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))


if __name__ == "__main__":
    main()
