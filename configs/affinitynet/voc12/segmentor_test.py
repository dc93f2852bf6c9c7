# Predicts VOC's test photographs, whose masks are not public, and packs the archive for its evaluation server:
# tools/test.py configs/affinitynet/voc12/segmentor_test.py CHECKPOINT [--tta]
_base_ = './segmentor.py'
test_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(dataset=dict(ann_file={{_base_.test_list}}, pipeline=test_pipeline))
test_evaluator = dict(_delete_=True, type='VOCSubmissionMetric', output_dir={{_base_.submission_dir}})
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=(side, side), keep_ratio=True) for side in (256, 320, 448)],
            [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
            [dict(type='PackSegInputs')],
        ],
    ),
]
