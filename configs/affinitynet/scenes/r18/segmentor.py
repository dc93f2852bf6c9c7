# The segmentor of the quick start, an FCN that starts from the classifier.
_base_ = [
    '../../../_base_/models/fcn_r18.py',
    '../../../_base_/datasets/scenes_segmentor.py',
    '../../../_base_/schedules/sgd_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/scenes/r18/segmentor'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained', checkpoint='work_dirs/affinitynet/scenes/r18/cam/final.pth', prefix='backbone.'
        )
    ),
    decode_head=dict(num_classes=6),
)
train_dataloader = dict(dataset=dict(pseudo_mask_dir='work_dirs/affinitynet/scenes/r18/affinity/pseudo_masks'))
optim_wrapper = dict(optimizer=dict(lr=0.05))
train_cfg = dict(max_iters=700)
