"""Building blocks that both networks share. Shapes are (batch, channels, height, width) unless said otherwise."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EMBED_DIM = 256


class LayerNorm2d(nn.Module):
    """LayerNorm over the channels of each pixel of a (B, C, H, W) map; eps 1e-6 as in segment-anything."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.of_last_axis(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def of_last_axis(self, x: Tensor) -> Tensor:
        """The same of a map (..., C) whose channels come last."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-6)


class ConvBN(nn.Module):
    """Convolution without bias, then BatchNorm; published names `c` and `bn`."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.c: nn.Module = nn.Conv2d(
            channels_in, channels_out, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.bn: nn.Module = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.c(x))

    def fold(self) -> None:
        """Replace convolution and BatchNorm by one convolution with bias (inference only)."""
        if isinstance(self.c, nn.Conv2d) and isinstance(self.bn, nn.BatchNorm2d):
            self.c = nn.utils.fusion.fuse_conv_bn_eval(self.c, self.bn)
            self.bn = nn.Identity()


def fold_batch_norms(network: nn.Module) -> None:
    """Fold every ConvBN below `network`, which must be in eval mode; its state dict is no longer the published one."""
    for module in network.modules():
        if isinstance(module, ConvBN):
            module.fold()


class MlpHead(nn.Module):
    """Three linear layers with ReLU between (hypernetworks and IoU head): (B, 256) to (B, channels_out)."""

    def __init__(self, channels_out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(EMBED_DIM, EMBED_DIM), nn.Linear(EMBED_DIM, EMBED_DIM), nn.Linear(EMBED_DIM, channels_out)]
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def patch_stem() -> nn.Sequential:
    """Stem of both encoders, (B, 3, H, W) to (B, 64, H, W): 1x1 kernels, so it mixes channels only."""
    return nn.Sequential(ConvBN(3, 32), nn.GELU(), ConvBN(32, 64))


def neck(channels_in: int) -> nn.Sequential:
    """Two convolutions to 256 channels, each followed by LayerNorm2d (segment-anything's encoder neck)."""
    return nn.Sequential(
        nn.Conv2d(channels_in, EMBED_DIM, 1, bias=False),
        LayerNorm2d(EMBED_DIM),
        nn.Conv2d(EMBED_DIM, EMBED_DIM, 3, padding=1, bias=False),
        LayerNorm2d(EMBED_DIM),
    )
