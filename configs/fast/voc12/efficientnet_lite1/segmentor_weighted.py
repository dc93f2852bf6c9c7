# A segmentor that learns less from pixels of which the pseudo masks are less sure.
_base_ = './segmentor.py'
work_dir = 'work_dirs/fast/voc12/efficientnet_lite1/segmentor_weighted'
model = dict(type='mmwsss.WeightedEncoderDecoder')
train_pipeline = _base_.train_pipeline[:-1] + [dict(type='mmwsss.PackWeakInputs')]
train_dataloader = dict(
    dataset=dict(
        pipeline=train_pipeline,
        pseudo_mask_dir='work_dirs/fast/voc12/efficientnet_lite1/relabel_weighted/pseudo_masks',
        pixel_weight_dir='work_dirs/fast/voc12/efficientnet_lite1/relabel_weighted/pixel_weights',
    )
)
