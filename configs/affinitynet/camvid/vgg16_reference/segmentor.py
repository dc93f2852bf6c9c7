_base_ = '../vgg16/segmentor.py'
work_dir = 'work_dirs/affinitynet/camvid/vgg16_reference/segmentor'
train_dataloader = dict(
    dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/camvid/vgg16_reference/affinity/pseudo_masks')
)
