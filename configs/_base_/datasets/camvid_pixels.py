_base_ = ['./camvid.py', './pixels.py']
train_dataloader = dict(dataset=dict(dataset={{_base_.train_dataset}}))
