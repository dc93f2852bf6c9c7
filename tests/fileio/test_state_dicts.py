import pytest
import torch

from mmwsss.fileio import DataError
from mmwsss.fileio.state_dicts import check_state_dict, state_dict_of


@pytest.mark.parametrize('keys', [(), ('state_dict',), ('model',), ('model_state_dict',), ('model', 'state_dict')])
def test_tensors_are_found_where_projects_keep_them(keys):
    checkpoint = {'module.weight': torch.ones(1), 'bias': torch.ones(2), 'epoch': 3}
    for key in keys:
        checkpoint = {key: checkpoint, 'meta': dict()}
    assert list(state_dict_of(checkpoint, 'x.pth')) == ['weight', 'bias']


@pytest.mark.parametrize('checkpoint, found', [(dict(epoch=1, net=dict()), 'found epoch, net'), ([1], 'found list')])
def test_a_file_without_tensors_says_what_it_holds(checkpoint, found):
    with pytest.raises(DataError, match=f'^x.pth: expected tensors by name.*{found}'):
        state_dict_of(checkpoint, 'x.pth')


def test_a_checkpoint_must_have_all_parameters_and_may_have_more():
    model = torch.nn.Linear(3, 2)
    check_state_dict(model, dict(model.state_dict(), extra=torch.ones(1)), 'own.pth')
    wrapped = {f'module.{name}': value for name, value in model.state_dict().items()}
    check_state_dict(model, wrapped, 'ddp.pth')
    with pytest.raises(
        DataError, match='^other.pth: .* of Linear as configured, but it lacks bias; it holds b instead'
    ):
        check_state_dict(model, dict(weight=torch.ones(2, 3), b=torch.ones(2)), 'other.pth')
    with pytest.raises(DataError, match=r'weight \(4, 3\) instead of \(2, 3\)'):
        check_state_dict(model, torch.nn.Linear(3, 4).state_dict(), 'other.pth')
