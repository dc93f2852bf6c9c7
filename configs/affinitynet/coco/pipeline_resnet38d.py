# COCO with ResNet-38 and the published recipe.
_base_ = ['./pipeline.py', '../_base_/published_photographs.py']
work_dir = 'work_dirs/coco_resnet38d'
overrides = dict(
    network='resnet38d',
    segmentor='deeplabv1_resnet38d',
    # As many epochs as on VOC: 15 of some 82,000 photographs in batches of 16, 8 in batches of 8; 100,000 are usual for
    # a segmentor.
    seed_iters=76950,
    affinity_iters=82080,
    segmentor_iters=100000,
)
