"""The built-in data set: generated scenes of textured, articulated creatures over clutter.

It needs no download and trains from scratch in about a minute per network on two CPU cores, so that the whole
method can be run, tested and shown anywhere.

Why the ladder CAM -> random walk -> segmentor rises on it:

* Every creature has a *head* with a pattern that no other class has, and a much larger *body* (trunk, limbs,
  tail, fins) in one of a few *coats*. Each coat is worn by two classes and each class wears two coats, so
  that the coat alone never tells the class. A classifier that only sees image-level labels is rewarded most
  for finding the head. Now and then a head is tucked in, as a cat in a picture may look away: for these
  it has to look at the body too. So its class activation map (CAM) peaks on the head and fades over the
  body: it is correct but partial, as on real images.
* A coat is the same texture all over one creature, and differs from the clutter around it. Near the head,
  and on creatures without one, the CAM is confident about the body; away from all creatures it is confident
  about the background. These cells are enough for AffinityNet to learn which neighboring cells belong
  together *without* knowing which class they are, and that holds for all creatures (Ahn & Kwak, CVPR 2018).
  The random walk then carries the class of the head over the whole body and stops at its edge.
* The pseudo masks are wrong in different ways in different images. The segmentor has to explain all of
  them with one function of the image, and averages these errors out. It sees no labels at test time, so that
  it may end below the walk, but it ends above the CAM.

Nothing is arranged beyond that: clutter has the colors of coats, creatures vary in scale, pose, light and
coat, they hide each other, and leaves lie in front of them. The ladders of three seeds are in
``configs/affinitynet/README.md``.
"""

from .dataset import PALETTE, ScenesDataset, write_scenes
from .scene import CLASSES, SPLITS, Scene, make_scene

__all__ = ['CLASSES', 'PALETTE', 'SPLITS', 'Scene', 'ScenesDataset', 'make_scene', 'write_scenes']
