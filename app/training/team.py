"""Several processes that teach one model, as torchrun starts them.

Each draws batches of its own; gradients are averaged, so all hold the same model.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Team:
    """This process among the others; alone it does nothing."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Team:
        """The team that torchrun's environment names, or a team of one."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(dist.get_rank(), size)

    def leave(self) -> None:
        """Wait for the others and part; who goes while another still talks to it makes that one abort."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every process the mean of all processes' gradients."""
        if self.size > 1:
            gradients = [p.grad for p in parameters if p.grad is not None]
            flat = nn.utils.parameters_to_vector(gradients) / self.size
            dist.all_reduce(flat)
            nn.utils.vector_to_parameters(flat, gradients)

    def share_buffers(self, model: nn.Module) -> None:
        """Give every process the first one's buffers: BatchNorm's statistics differ with what each has seen."""
        if self.size > 1:
            buffers = [b for b in model.buffers() if b.is_floating_point()]
            flat = nn.utils.parameters_to_vector(buffers)
            dist.broadcast(flat, 0)
            nn.utils.vector_to_parameters(flat, buffers)

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether any process says so."""
        if self.size == 1:
            return flag
        count = torch.tensor(int(flag), device=device)
        dist.all_reduce(count)
        return bool(count)

    def gather(self, state: Tensor) -> list[Tensor]:
        """Every process's tensor, in the order of ranks."""
        if self.size == 1:
            return [state]
        gathered: list[Tensor] = [state] * self.size
        dist.all_gather_object(gathered, state)
        return gathered
