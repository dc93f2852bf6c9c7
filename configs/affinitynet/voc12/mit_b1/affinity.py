# AffinityNet on MiT-B1, PASCAL VOC 2012, the published recipe.
_base_ = [
    '../../../_base_/models/affinity_mit_b1.py',
    '../../../_base_/datasets/voc12_affinity_published.py',
    '../../../_base_/schedules/adamw_poly.py',
    '../../../_base_/default_runtime.py',
]
work_dir = 'work_dirs/affinitynet/voc12/mit_b1/affinity'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/segformer/mit_b1_20220624-02e5a6a1.pth',
        )
    )
)
train_dataloader = dict(dataset=dict(affinity_label_dir='work_dirs/affinitynet/voc12/mit_b1/cam/affinity_labels'))
test_dataloader = dict(dataset=dict(seed_dir='work_dirs/affinitynet/voc12/mit_b1/cam/seeds'))
train_cfg = dict(max_iters=10576)  # 8 epochs of 10,582 images in batches of 8
