"""Two processes that teach one model."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp

from app.training.loop import CHECKPOINT, Schedule, Trainer
from app.training.team import Team
from tests.training.test_loop import CPU, SCHEDULE, Line


def train_as(rank: int, port: int, folder: Path, steps: int) -> None:
    """One process: train until `steps`, stop, and leave the model behind."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "RANK": str(rank)}
    torch.set_num_threads(1)
    team = Team.join(CPU)
    learner = Trainer(Line(), SCHEDULE, folder, CPU, team)
    learner.resume()
    while learner.step < steps:
        learner._one_step()
    learner.save()
    torch.save(learner.stage.model.state_dict(), folder / f"rank{rank}.pt")
    team.leave()


def train_together(folder: Path, *stops: int) -> dict[str, torch.Tensor]:
    """Both processes' model, which is the same one, after runs to each of the stops."""
    folder.mkdir()
    for steps in stops:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        mp.spawn(train_as, (port, folder, steps), nprocs=2)  # type: ignore[attr-defined, no-untyped-call]
    first, second = (torch.load(folder / f"rank{rank}.pt") for rank in range(2))
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=0, atol=0)
    return dict(first)


@pytest.mark.filterwarnings("ignore")
def test_processes_hold_one_model_and_a_resumed_team_ends_with_the_same_numbers(tmp_path: Path) -> None:
    whole = train_together(tmp_path / "whole", 12)
    in_parts = train_together(tmp_path / "parts", 5, 12)
    for name, tensor in whole.items():
        torch.testing.assert_close(in_parts[name], tensor, rtol=0, atol=0)
    alone = Trainer(Line(), Schedule(**vars(SCHEDULE)), tmp_path, CPU)
    alone.run()
    assert not torch.equal(alone.stage.model.state_dict()["0.weight"], whole["0.weight"])  # the other's batches count
    assert (tmp_path / "whole" / CHECKPOINT).exists()
