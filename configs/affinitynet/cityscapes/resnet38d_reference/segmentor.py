_base_ = '../resnet38d/segmentor.py'
work_dir = 'work_dirs/affinitynet/cityscapes/resnet38d_reference/segmentor'
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/cityscapes/resnet38d_reference/affinity/pseudo_masks')
)
