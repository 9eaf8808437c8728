"""What is man-made and rigid: a prior from the classes that the encoder was trained on (PyTorch).

Few training clips show buildings, cups and towers, since nothing happens there, so a head that
learns from clips alone lets them bend. The ImageNet classifier knows them: its head is applied
to every cell (class activation maps; Zhou et al., CVPR 2016), and the probabilities of its
rigid man-made classes are summed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vivant.motion.encoder import pretrained_state

WIDTH, CLASSES = 1280, 1000
ARTIFACTS = range(398, 970)
"""ImageNet's classes in their usual order: man-made things, then food. Before: animals; after:
landscapes, people, plants and fungi."""
LANDSCAPE = (460, 525, 562)  # breakwater, dam, fountain
PLANTS = (580, 738)  # greenhouse, flowerpot
SOFT = (417, 557, 701, 794, 862, 904, 905, 911)  # balloon, flag, parachute, curtains, shades
VEHICLES = (
    *(403, 404, 405, 407, 408, 436, 444, 466, 468, 472, 510, 511, 554, 576, 609, 625, 627, 628),
    *(654, 656, 661, 665, 670, 671, 675, 690, 694, 705, 717, 724, 751, 779, 780, 803, 814, 817),
    *(820, 829, 833, 847, 864, 867, 870, 871, 874, 880, 895, 913, 914),
)
CONTEXT = 0.3
"""Share of the picture's mean activation in each cell's."""


def rigid_classes() -> Tensor:
    """``[1000]`` 1 where a class is man-made and rigid, else 0."""
    chosen = torch.zeros(CLASSES)
    chosen[list(ARTIFACTS)] = 1.0
    chosen[list(LANDSCAPE + PLANTS + SOFT + VEHICLES)] = 0.0
    return chosen


class RigidPrior(nn.Module):
    """Probability per cell of being a man-made rigid thing."""

    def __init__(self, inside: int = 320) -> None:
        super().__init__()
        self.expand = nn.Linear(inside, WIDTH)
        self.classify = nn.Linear(WIDTH, CLASSES)
        self.register_buffer("chosen", rigid_classes(), persistent=False)

    def forward(self, deep: Tensor) -> Tensor:
        """``deep`` ``[B, 320, h, w]``, the encoder's last map on cells -> ``[B, h, w]`` 0..1."""
        active = self.expand(deep.permute(0, 2, 3, 1)).clamp(0, 6)
        everywhere = active.mean(dim=(1, 2), keepdim=True)
        active = active + CONTEXT * (everywhere - active)
        return self.classify(active).softmax(dim=-1) @ self.chosen


def pretrained_rigid() -> RigidPrior:
    """The ImageNet classifier as a prior, its batch normalisation folded in."""
    state = pretrained_state()
    gain = state["_bn1.weight"] / torch.sqrt(state["_bn1.running_var"] + 1e-3)
    prior = RigidPrior()
    prior.load_state_dict(
        {
            "expand.weight": state["_conv_head.weight"][:, :, 0, 0] * gain[:, None],
            "expand.bias": state["_bn1.bias"] - state["_bn1.running_mean"] * gain,
            "classify.weight": state["_fc.weight"],
            "classify.bias": state["_fc.bias"],
        }
    )
    return prior.eval().requires_grad_(False)
