# The classifier on MiT-B1, PASCAL VOC 2012, the published recipe's data, and the weights that MMSegmentation publishes.
_base_ = [
    '../../../_base_/models/cam_mit_b1.py',
    '../../../_base_/datasets/voc12_cam_published.py',
    '../../../_base_/schedules/adamw_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/mit_b1/cam'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer/mit_b1_20220624-02e5a6a1.pth',
        ),
    ),
    head=dict(num_classes=20),
)
train_cfg = dict(max_iters=9915)  # 15 epochs of 10,582 images in batches of 16
