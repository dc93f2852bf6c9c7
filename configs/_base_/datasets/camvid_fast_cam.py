_base_ = ['./camvid.py', './fast_cam.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}))
val_dataloader = dict(dataset=dict(dataset={{_base_.val_dataset}}, image_labels={{_base_.image_labels}}))
test_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}, image_labels={{_base_.image_labels}}))
