# The classifier on Swin-T, PASCAL VOC 2012, the published recipe's data, and the weights that MMSegmentation publishes.
_base_ = [
    '../../../_base_/models/cam_swin_t.py',
    '../../../_base_/datasets/voc12_cam_published.py',
    '../../../_base_/schedules/adamw_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/swin_t/cam'
# The norms of stages that no head reads learn nothing, which several processes must know.
find_unused_parameters = True
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/swin/swin_tiny_patch4_window7_224_20220317-1cdeb081.pth',
        ),
    ),
    head=dict(num_classes=20),
)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'relative_position_bias_table': dict(decay_mult=0)}))
train_cfg = dict(max_iters=9915)  # 15 epochs of 10,582 images in batches of 16
