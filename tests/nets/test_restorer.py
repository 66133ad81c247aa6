"""Networks that turn images into images: folding is lossless, and an answer looks as far as it says."""

import pytest
import torch
from matlens import registry
from matlens.nets import IMAGE_NETS
from matlens.nets.pixel.restorer import Corrector, Refocuser, Restorer, folded, unfolded
from matlens.nets.pixel.translator import Translator
from matlens.nets.pixel.unit import Unit


@pytest.mark.parametrize("shape", [(2, 3, 8, 12), (1, 2, 8, 4, 12)])
def test_folding_is_undone_and_puts_pixels_into_channels(shape):
    x = torch.arange(torch.tensor(shape).prod()).float().reshape(shape)
    made = folded(x, 2)
    assert made.shape[1] == shape[1] * 2 ** (len(shape) - 2) and torch.equal(unfolded(made, 2), x)
    assert sorted(made[0, :: shape[1]].flatten().tolist()) == sorted(x[0, 0].flatten().tolist())


@pytest.mark.parametrize("name", IMAGE_NETS)
@pytest.mark.parametrize(("dims", "size"), [(2, (37, 50)), (3, (10, 17, 12))])
def test_the_size_is_kept_and_the_answer_starts_at_zero_or_at_the_image(name, dims, size):
    net = registry.load(IMAGE_NETS, name)(dims=dims, width=4, depth=2).eval()
    image = torch.randn(1, 1, *size)
    translates = isinstance(net, (Translator, Unit))
    offered = torch.cat([image, torch.randn_like(image)], 1) if translates else image  # with its noise
    corrects = isinstance(net, (Corrector, Refocuser, Translator))
    with torch.no_grad():
        assert net(offered).shape == image.shape
        if isinstance(net, Unit):
            return  # it has no shortcuts
        assert torch.equal(net(offered), image if corrects else torch.zeros_like(image))


@pytest.mark.parametrize("maker", [Restorer, Unit])
@pytest.mark.parametrize("fold", [1, 2])
def test_an_answer_looks_no_further_than_its_radius(fold, maker):
    torch.manual_seed(0)
    net = maker(width=6, depth=2, fold=fold).eval()
    for weights in net.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    reach = 0
    for place in range(96, 96 + net.stride):
        x = torch.randn(1, 1, 192, 192, requires_grad=True)
        (slope,) = torch.autograd.grad(net(x)[0, 0, place, place], x)
        seen = slope[0, 0].abs().sum(0).nonzero().flatten()
        reach = max(reach, place - int(seen.min()), int(seen.max()) - place)
    assert 0.6 * net.radius < reach <= net.radius


def test_coarse_answers_are_blocks_and_come_in_training_alone():
    net = Refocuser(width=4, depth=3, scales=3)
    for layer in (net.last, *net.coarse):
        torch.nn.init.normal_(layer.weight)
    heads = net.train()(torch.randn(1, 1, 64, 64))
    assert len(heads) == 3 and {head.shape for head in heads} == {(1, 1, 64, 64)}
    for level, head in enumerate(heads):
        blocks = torch.nn.functional.avg_pool2d(head, 2**level)
        assert torch.allclose(head, torch.nn.functional.interpolate(blocks, scale_factor=2**level), atol=1e-5)
    assert net.eval()(torch.randn(1, 1, 64, 64)).shape == (1, 1, 64, 64)
