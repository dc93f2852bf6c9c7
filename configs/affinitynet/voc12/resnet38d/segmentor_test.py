# Predicts VOC's test images, whose masks are not public, and packs the archive for its evaluation server:
#   python tools/test.py configs/affinitynet/voc12/resnet38d/segmentor_test.py \
#       work_dirs/affinitynet/voc12/resnet38d/segmentor/final.pth
# For another network of this folder, copy this file beside its segmentor.
_base_ = './segmentor.py'
work_dir = 'work_dirs/affinitynet/voc12/resnet38d/segmentor_test'
test_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(dataset=dict(dataset=dict(ann_file='ImageSets/Segmentation/test.txt'), pipeline=test_pipeline))
test_evaluator = dict(
    _delete_=True,
    type='mmwsss.VOCSubmissionMetric',
    output_dir='work_dirs/affinitynet/voc12/resnet38d/segmentor_test/submission',
)
# Sizes and mirror images are those of the validation; there are no masks.
tta_pipeline = [
    dict(type='LoadImageFromFile', _scope_='mmwsss'),
    dict(type='TestTimeAug', transforms=_base_.tta_pipeline[1].transforms[:2] + [[dict(type='PackSegInputs')]]),
]
# Nothing trains here.
train_dataloader = train_cfg = optim_wrapper = param_scheduler = None
val_dataloader = val_evaluator = val_cfg = None
