_base_ = ['./voc12.py', './affinity_published.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
test_dataloader = dict(
    dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}, mask_list={{_base_.mask_list}})
)
