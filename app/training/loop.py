"""One training loop for every stage: it knows steps, checkpoints and time, and nothing of what is learnt."""

from __future__ import annotations

import io
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ..cases.atomic import write_atomically
from ..errors import InputError
from .curves import write_curve
from .team import Team

CHECKPOINT = "checkpoint.pt"
SAVE_EVERY = 600.0  # seconds; what a run that is killed can lose
_ALONE = Team()
_SEEDS_APART = 1_000_003  # between the processes of a team

# Gets the number of steps done and the averaged weights.
Examine = Callable[[int, dict[str, Tensor]], None]


class ParameterGroup(NamedTuple):
    """Parameters that learn at `rate_factor` times the schedule's rate."""

    parameters: list[nn.Parameter]
    rate_factor: float


class Stage(Protocol):
    """What is learnt: a model, and the losses of one freshly drawn batch."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def settings(self) -> dict[str, str | float]:
        """What must be the same for a run to be gone on with, its name among them."""
        ...

    @property
    def samples_a_step(self) -> int: ...

    def parameter_groups(self) -> list[ParameterGroup]:
        """What is trained."""
        ...

    def losses(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars; their sum is what is minimised."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast; learning rate with a linear warm-up, then a cosine to zero."""

    steps: int
    learning_rate: float = 2e-4  # paper, both stages
    weight_decay: float = 0.01
    warm_up: int = 100  # steps
    ema_decay: float = 0.999
    gradient_norm: float = 1.0
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of step 0, 1, ..."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        progress = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return self.learning_rate * (1 + math.cos(math.pi * min(progress, 1))) / 2


class Trainer:
    """A stage on its way. A run that was stopped and resumed ends with the same numbers as one that was not."""

    def __init__(
        self, stage: Stage, schedule: Schedule, folder: Path, device: torch.device, team: Team = _ALONE
    ) -> None:
        self.stage = stage
        self.schedule = schedule
        self.folder = folder
        self.step = 0
        self.samples_a_second = math.nan  # of the last run, all processes together
        self._device = device
        self._team = team
        self.curve: list[dict[str, float]] = []
        self._not_yet_read: list[dict[str, Tensor]] = []  # reading a loss would make a GPU wait
        self.optimiser = torch.optim.AdamW(
            [{"params": group.parameters, "rate_factor": group.rate_factor} for group in stage.parameter_groups()],
            lr=schedule.learning_rate,
            weight_decay=schedule.weight_decay,
        )
        self.generator = torch.Generator(device).manual_seed(schedule.seed + _SEEDS_APART * team.rank)
        self.ema = {name: tensor.detach().clone() for name, tensor in stage.model.state_dict().items()}

    def run(
        self,
        time_budget: float = math.inf,
        tick: Callable[[int], None] = lambda _: None,
        examine: Examine | None = None,
    ) -> None:
        """Train until the last step or until `time_budget` seconds are over, then save.

        `tick` hears of each step, `examine` of each checkpoint.
        """
        start = saved = time.monotonic()
        first = self.step
        self.stage.model.train()
        while self.step < self.schedule.steps and not self._any(time.monotonic() - start >= time_budget):
            self._one_step()
            tick(self.step)
            if self._any(time.monotonic() - saved > SAVE_EVERY):
                self.save()
                start += self._examine(examine)
                saved = time.monotonic()
        self.save()
        samples = (self.step - first) * self.stage.samples_a_step * self._team.size
        self.samples_a_second = samples / max(time.monotonic() - start, 1e-9)
        self._examine(examine)

    def _examine(self, examine: Examine | None) -> float:
        """Seconds that an examination took; no part of the training's time."""
        start = time.monotonic()
        if examine is not None and self._team.leads:
            examine(self.step, self.ema)
        return time.monotonic() - start

    def _any(self, flag: bool) -> bool:
        return self._team.any(flag, self._device)

    def _settings(self) -> dict[str, str | float]:
        return asdict(self.schedule) | {"processes": self._team.size} | self.stage.settings

    def _one_step(self) -> None:
        rate = self.schedule.rate_at(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["rate_factor"]
        losses = self.stage.losses(self.generator)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        self._team.average_gradients(self.stage.model.parameters())
        nn.utils.clip_grad_norm_(self.stage.model.parameters(), self.schedule.gradient_norm)
        self.optimiser.step()
        self._team.share_buffers(self.stage.model)
        self._follow()
        self.step += 1
        self._not_yet_read.append({name: loss.detach() for name, loss in losses.items()})

    def _follow(self) -> None:
        """Move the averaged weights after the model; early on faster, so that the start is soon forgotten."""
        decay = min(self.schedule.ema_decay, (1 + self.step) / (10 + self.step))
        for name, tensor in self.stage.model.state_dict().items():
            if tensor.is_floating_point():
                self.ema[name].lerp_(tensor, 1 - decay)
            else:
                self.ema[name].copy_(tensor)

    def save(self) -> None:
        """Write the checkpoint and the curve, each atomically. Every process of a team must call this."""
        first = self.step - len(self._not_yet_read)
        for step, losses in enumerate(self._not_yet_read, start=first):
            row = {"step": step + 1, "rate": self.schedule.rate_at(step)}
            self.curve.append(row | {name: float(loss) for name, loss in losses.items()})
        self._not_yet_read.clear()
        generators = self._team.gather(self.generator.get_state())
        if self._team.leads:
            self._write_checkpoint(generators)
            write_curve(self.folder, self.curve)

    def _write_checkpoint(self, generators: list[Tensor]) -> None:
        content = io.BytesIO()
        torch.save(
            {
                "model": self.stage.model.state_dict(),
                "ema": self.ema,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "settings": self._settings(),
                "curve": self.curve,
                "generators": generators,
            },
            content,
        )
        with write_atomically(self.folder / CHECKPOINT) as file:
            file.write(content.getbuffer())

    def resume(self) -> bool:
        """Go on from the folder's checkpoint where there is one. Raises InputError for one of another run."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return False
        saved = _load(path)
        theirs, ours = saved["settings"], self._settings()
        if theirs != ours:
            differing = sorted(key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key))
            changes = ", ".join(f"{key} was {theirs.get(key)}, now {ours.get(key)}" for key in differing)
            raise InputError(f"{path}: is of another run ({changes}); repeat its options, or choose another folder")
        self.stage.model.load_state_dict(saved["model"])
        for name, tensor in saved["ema"].items():
            self.ema[name].copy_(tensor)
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step, self.curve = saved["step"], saved["curve"]
        self.generator.set_state(saved["generators"][self._team.rank])
        return True


def _load(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise InputError(f"{path}: is no checkpoint of this program ({error}); choose another folder") from error
    return content
