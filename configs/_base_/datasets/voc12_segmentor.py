_base_ = ['./voc12.py', './segmentor.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
val_dataloader = dict(dataset=dict(dataset={{_base_.val_dataset}}))
test_dataloader = dict(dataset=dict(dataset={{_base_.val_dataset}}))
