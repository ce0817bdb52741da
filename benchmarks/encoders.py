"""What cheaper image encoders would cost: multiply-adds and seconds of untrained variants of the Swin encoder.

    python -m benchmarks.encoders [--rounds N]

Stages 3 and 4, at 64 x 64, hold most of the published encoder's arithmetic; the variants make them coarser, shallower
or narrower. Every variant gives the embedding and the four skips at the published resolutions. All would have to be
trained anew. Prints a Markdown table: medians of single frames, all variants in turn.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.arrays import FloatArray
from app.engines.compiled import compile_graph
from app.engines.export import trace
from app.engines.precision import Precision, has_bfloat16
from app.networks.layers import fold_batch_norms, neck
from app.networks.swin_encoder import EncoderOutput, Stage, SwinImageEncoder
from app.networks.tiny_vit_encoder import TinyViTImageEncoder
from app.threads import available_threads

from .arithmetic import multiply_adds

FRAME = (1, 3, 256, 256)


@dataclass(frozen=True)
class Late:
    """Stages 3 and 4: their side, channels, and the blocks of each."""

    side: int = 64
    channels: int = 320
    blocks: tuple[int, int] = (6, 2)


class CheaperEncoder(SwinImageEncoder):
    """The Swin encoder with other late stages, whose maps are enlarged to 64 x 64 where they are coarser."""

    def __init__(self, late: Late) -> None:
        super().__init__()
        self.enlarge = 64 // late.side
        heads = late.channels // 64, late.channels // 32
        self.stage3 = Stage(160, late.channels, factor=self.enlarge, depth=late.blocks[0], heads=heads[0])
        self.stage4 = Stage(late.channels, late.channels, factor=1, depth=late.blocks[1], heads=heads[1])
        self.neck = neck(late.channels)

    def forward(self, frames: Tensor) -> EncoderOutput:
        f0 = self.stage1(self.patch_embed["seq"](frames).permute(0, 2, 3, 1))
        f1 = self.stage2(f0)
        f2 = self.stage3(f1)
        f3 = self.stage4(f2)
        f0, f1, f2, f3 = (f.permute(0, 3, 1, 2) for f in (f0, f1, f2, f3))
        if self.enlarge > 1:
            f2, f3 = (F.interpolate(f, scale_factor=self.enlarge, mode="bilinear") for f in (f2, f3))
        return EncoderOutput(self.neck(f3), (f0, f1, f2, f3))


VARIANTS = {
    "as published": Late(),
    "stage 3 of 4 blocks": Late(blocks=(4, 2)),
    "stage 3 of 2 blocks": Late(blocks=(2, 2)),
    "stages 3, 4 of 256 channels": Late(channels=256),
    "stages 3, 4 of 192 channels": Late(channels=192),
    "stages 3, 4 at 32 x 32": Late(side=32),
    "stages 3, 4 at 32 x 32, stage 3 of 4 blocks": Late(side=32, blocks=(4, 2)),
    "stages 3, 4 at 32 x 32, 256 channels": Late(side=32, channels=256),
}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders")
    parser.add_argument("--rounds", type=int, default=11)
    rounds: int = parser.parse_args().rounds
    precisions: list[Precision] = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    encoders: dict[str, nn.Module] = {f"Swin, {name}": CheaperEncoder(late) for name, late in VARIANTS.items()}
    encoders["LiteMedSAM's TinyViT"] = TinyViTImageEncoder()
    costs = {name: multiply_adds(encoder.eval().requires_grad_(False), *FRAME) for name, encoder in encoders.items()}
    milliseconds = _milliseconds(encoders, precisions, rounds)
    print(f"| encoder | parameters, M | multiply-adds, G | {' | '.join(f'{one}, ms' for one in precisions)} |")
    print(f"|---|---|---|{'---|' * len(precisions)}")
    for name, encoder in encoders.items():
        size = sum(parameter.numel() for parameter in encoder.parameters()) / 1e6
        times = " | ".join(f"{milliseconds[name, precision]:.0f}" for precision in precisions)
        print(f"| {name} | {size:.1f} | {costs[name] / 1e9:.1f} | {times} |")


def _milliseconds(
    encoders: dict[str, nn.Module], precisions: list[Precision], rounds: int
) -> dict[tuple[str, Precision], float]:
    """Median of one frame, by encoder and precision."""
    graphs = {}
    for name, encoder in encoders.items():
        fold_batch_norms(encoder)
        graph = trace(encoder.forward, [(torch.zeros(FRAME), 0)])
        for precision in precisions:
            graphs[name, precision] = compile_graph(graph, precision, available_threads())
    frame: FloatArray = np.random.default_rng(0).random(FRAME, np.float32)
    taken: dict[tuple[str, Precision], list[float]] = defaultdict(list)
    for _ in range(rounds + 1):
        for key, graph in graphs.items():
            start = time.perf_counter()
            graph.run(frame)
            taken[key].append(1000 * (time.perf_counter() - start))
    return {key: median(values[1:]) for key, values in taken.items()}


if __name__ == "__main__":
    main()
