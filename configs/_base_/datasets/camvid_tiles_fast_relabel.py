_base_ = ['./camvid_tiles.py', './fast_relabel.py']
test_pipeline = [
    dict(type='mmwsss.LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=(192, 192), keep_ratio=True)],
            [dict(type='mmwsss.PackWeakInputs')],
        ],
    ),
]
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, pipeline=test_pipeline)
)
