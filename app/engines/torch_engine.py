"""The reference engine: float32 torch on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..arrays import FloatArray
from ..memory import keep_freed_memory
from ..networks.layers import fold_batch_norms
from ..networks.models import ARCHITECTURES, build_unfilled
from ..prompts.prompt import Prompt
from ..weights.load import LoadedWeights
from .engine import Decoded, EngineInfo, ImageFeatures


class TorchEngine:
    """Runs a model of `app.networks` in eval mode with BatchNorm folded."""

    def __init__(self, weights: LoadedWeights, threads: int) -> None:
        torch.set_num_threads(threads)
        keep_freed_memory()
        architecture = ARCHITECTURES[weights.architecture]
        self._model = build_unfilled(weights.architecture).eval()
        # Names and shapes were checked when the file was read; BatchNorm's batch counters are not kept in it.
        self._model.load_state_dict(weights.tensors, strict=False, assign=True)
        fold_batch_norms(self._model)
        # Most layers work on the channels of a pixel: 1.3 times faster than channels first.
        for parameter in self._model.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.reads_points_and_scribble = architecture.reads_points_and_scribble
        self.info = EngineInfo(
            model=weights.name,
            architecture=weights.architecture,
            weights_file=str(weights.path),
            weights_sha256=weights.sha256,
            engine=f"torch {torch.__version__}",
            precision="float32",
            threads=threads,
        )

    def encode(self, frames: FloatArray) -> list[ImageFeatures]:
        with torch.inference_mode():
            maps = self._model.encode(torch.from_numpy(frames).contiguous(memory_format=torch.channels_last))
        return [
            ImageFeatures(one, sum(m.numel() * m.element_size() for m in one))
            for one in (tuple(m[i : i + 1] for m in maps) for i in range(len(frames)))
        ]

    def decode(self, features: ImageFeatures, prompts: Sequence[Prompt]) -> Decoded:
        boxes = torch.from_numpy(np.stack([prompt.box for prompt in prompts]).astype(np.float32))
        points = [prompt.points for prompt in prompts if prompt.points is not None]
        scribbles = [prompt.scribble for prompt in prompts if prompt.scribble is not None]
        with torch.inference_mode():
            logits, iou = self._model.decode(
                features.maps,
                boxes,
                torch.from_numpy(np.stack(points)) if points else None,
                torch.from_numpy(np.stack(scribbles).astype(np.float32)) if scribbles else None,
            )
        return Decoded(logits.numpy(), iou.numpy())
