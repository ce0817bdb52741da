"""The reference engine: torch on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from ..arrays import FloatArray
from ..memory import keep_freed_memory
from ..networks.models import ARCHITECTURES, build_filled
from ..prompts.prompt import Prompt
from ..prompts.window import Windows
from ..weights.load import LoadedWeights
from .engine import Decoded, EngineInfo, ImageFeatures
from .precision import Precision


class TorchEngine:
    """Runs a model of `app.networks` in eval mode with BatchNorm folded; bfloat16 is torch's automatic one."""

    def __init__(self, weights: LoadedWeights, threads: int, precision: Precision = "float32") -> None:
        torch.set_num_threads(threads)
        keep_freed_memory()
        self._model = build_filled(weights.architecture, weights.tensors)
        # Most layers work on the channels of a pixel: 1.3 times faster than channels first.
        for parameter in self._model.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.reads_points_and_scribble = ARCHITECTURES[weights.architecture].reads_points_and_scribble
        self.info = EngineInfo(
            model=weights.name,
            architecture=weights.architecture,
            weights_file=str(weights.path),
            weights_sha256=weights.sha256,
            engine=f"torch {torch.__version__}",
            precision=precision,
            threads=threads,
        )

    def encode(self, frames: FloatArray) -> list[ImageFeatures]:
        with self._computing():
            maps = self._model.encode(torch.from_numpy(frames).contiguous(memory_format=torch.channels_last))
        return [
            ImageFeatures(one, sum(m.numel() * m.element_size() for m in one))
            for one in (tuple(m[i : i + 1] for m in maps) for i in range(len(frames)))
        ]

    def decode(self, features: ImageFeatures, prompts: Sequence[Prompt], windows: Windows) -> Decoded:
        boxes = torch.from_numpy(np.stack([prompt.box for prompt in prompts]).astype(np.float32))
        points = [prompt.points for prompt in prompts if prompt.points is not None]
        scribbles = [prompt.scribble for prompt in prompts if prompt.scribble is not None]
        with self._computing():
            tokens = self._model.prompt_encoder.sparse(boxes, torch.from_numpy(np.stack(points)) if points else None)
            logits, iou = self._model.decode_tokens(
                features.maps,
                tokens,
                torch.from_numpy(np.stack(scribbles).astype(np.float32)) if scribbles else None,
                torch.from_numpy(windows.pixels),
            )
        return Decoded(windows.place(logits.float().numpy()), iou.float().numpy())

    @contextmanager
    def _computing(self) -> Iterator[None]:
        halved = self.info.precision == "bfloat16"
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=halved):
            yield
