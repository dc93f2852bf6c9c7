"""Role: an image in, affinities of its parts out."""

from .affinity_model import AffinityModel
from .affinity_net import AffinityNet
from .backbone_affinity import BackboneAffinity
from .irnet import IRNet

__all__ = ['AffinityModel', 'AffinityNet', 'BackboneAffinity', 'IRNet']
