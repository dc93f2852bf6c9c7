# The published recipe with ResNet-38.
_base_ = ['./pipeline.py', '../_base_/published_photographs.py']
work_dir = 'work_dirs/voc12_resnet38d'
overrides = dict(
    network='resnet38d',
    segmentor='deeplabv1_resnet38d',
    # 15 epochs of 10,582 photographs in batches of 16, 8 in batches of 8, and the usual number of a segmentor.
    seed_iters=9915,
    affinity_iters=10576,
    segmentor_iters=20000,
)
