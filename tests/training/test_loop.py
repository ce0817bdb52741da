"""The training loop on a toy: it learns, it stops in time, and a resumed run is the run itself."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.cli import main
from app.errors import InputError
from app.networks.swin_encoder import EncoderOutput
from app.training.curves import CURVE, PICTURE
from app.training.distillation import Distillation, embedding_similarity
from app.training.frozen_encoder import Encode, autocast
from app.training.loop import CHECKPOINT, ParameterGroup, Schedule, Trainer
from app.training.picture_store import PictureStore
from app.training.shards import TrainingPicture

CPU = torch.device("cpu")
SCHEDULE = Schedule(steps=12, learning_rate=0.05, warm_up=2)


class Line:
    """Learn y = 2 x from noisy batches; BatchNorm brings statistics that must survive a stop too."""

    def __init__(self, batch: int = 16) -> None:
        torch.manual_seed(0)
        self.settings: dict[str, str | float] = {"stage": "line", "batch": batch}
        self.samples_a_step = batch
        self.model = nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    def parameter_groups(self) -> list[ParameterGroup]:
        return [
            ParameterGroup(list(self.model[:2].parameters()), 1.0),
            ParameterGroup([*self.model[2].parameters()], 0.5),
        ]

    def losses(self, generator: torch.Generator) -> dict[str, Tensor]:
        x = torch.randn(16, 1, generator=generator)
        return {"squares": ((self.model(x) - 2 * x) ** 2).mean()}


def trainer(folder: Path, schedule: Schedule = SCHEDULE) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(Line(), schedule, folder, CPU)


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()
    assert whole.curve[-1]["squares"] < whole.curve[0]["squares"]
    ticks = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    stopped = trainer(tmp_path / "parts")
    stopped.run(time_budget=6)
    assert 0 < stopped.step < SCHEDULE.steps
    resumed = trainer(tmp_path / "parts")
    assert resumed.resume()
    assert resumed.step == stopped.step
    resumed.run()
    for name, tensor in whole.stage.model.state_dict().items():
        torch.testing.assert_close(resumed.stage.model.state_dict()[name], tensor, rtol=0, atol=0)
        torch.testing.assert_close(resumed.ema[name], whole.ema[name], rtol=0, atol=0)
    assert (tmp_path / "parts" / CURVE).read_text() == (tmp_path / "whole" / CURVE).read_text()
    assert (tmp_path / "whole" / PICTURE).read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "whole" / CURVE).open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 13))


def test_a_checkpoint_that_does_not_fit_is_refused_with_the_reason(tmp_path: Path) -> None:
    trainer(tmp_path / "run").run()
    with pytest.raises(InputError, match=r"of another run \(.*steps was 12, now 99"):
        trainer(tmp_path / "run", Schedule(steps=99)).resume()
    with pytest.raises(InputError, match=r"\(batch was 16, now 8\); repeat its options"):
        Trainer(Line(batch=8), SCHEDULE, tmp_path / "run", CPU).resume()
    (tmp_path / "run" / CHECKPOINT).write_bytes(b"cut short")
    with pytest.raises(InputError, match="is no checkpoint of this program"):
        trainer(tmp_path / "run").resume()


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    schedule = Schedule(steps=110, learning_rate=1.0, warm_up=10)
    assert [schedule.rate_at(step) for step in (0, 4, 9)] == [0.1, 0.5, 1.0]
    assert schedule.rate_at(60) == pytest.approx(0.5)
    assert schedule.rate_at(110) == pytest.approx(0.0)


class TinyEncoder(nn.Module):
    """Stands for an image encoder: maps of the right kind, small."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 16, stride=16)

    def forward(self, frames: Tensor) -> EncoderOutput:
        x = self.conv(frames)
        return EncoderOutput(x, (x, 2 * x, 3 * x, 4 * x))


def frozen(encoder: nn.Module) -> Encode:
    def encode(frames: Tensor) -> EncoderOutput:
        with torch.no_grad(), autocast(frames):
            return EncoderOutput(*encoder(frames))

    return encode


def test_distillation_brings_a_student_to_its_teacher(tmp_path: Path) -> None:
    torch.manual_seed(0)
    student, teacher = TinyEncoder(), TinyEncoder()
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (256, 256, 3), dtype=np.uint8) for _ in range(4)]
    pictures = PictureStore([TrainingPicture("CT", "a", image) for image in images], CPU)
    before = embedding_similarity(student, teacher, pictures)
    stage = Distillation(student, frozen(teacher), pictures, batch=4)
    learner = Trainer(stage, Schedule(steps=40, learning_rate=0.01, warm_up=5), tmp_path, CPU)
    learner.run()
    assert set(learner.curve[0]) == {"step", "rate", "embedding", "skip0", "skip1", "skip2", "skip3"}
    assert embedding_similarity(student, teacher, pictures) > max(before, 0.8)
    assert embedding_similarity(teacher, teacher, pictures) == pytest.approx(1, abs=1e-3)
    teacher.requires_grad_(False)
    same = Distillation(teacher, frozen(teacher), pictures, batch=2).losses(torch.Generator())
    assert all(float(loss) == 0 for loss in same.values())


def test_the_command_names_a_source_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "US.tar").write_text("no archive")
    arguments = ["train", "distill", str(tmp_path / "US.tar"), "-o", str(tmp_path / "run"), "--device", "cpu"]
    assert main(arguments) == 2
    assert "US.tar: cannot be read as a shard" in capsys.readouterr().err
    assert main([*arguments[:-1], "abacus"]) == 2
    assert "abacus cannot be used here" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["train", "distill", str(tmp_path / "US.tar"), "-o", str(tmp_path / "file" / "run")]) == 2
    assert "cannot be written" in capsys.readouterr().err
