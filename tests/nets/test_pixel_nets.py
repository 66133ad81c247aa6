"""Networks for pixels: the sizes that papers print, any size of image, and no look beyond the stated radius."""

import pytest
import torch
from matlens import registry
from matlens.nets import NETS
from matlens.nets.pixel import vit

PIXELS = ("fcn", "unet", "unetpp", "unet3p", "hed", "vit")


def build(name, **options):
    torch.manual_seed(0)
    return registry.load(NETS, name)(**options)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def test_unet_has_the_parameters_of_the_public_implementation():
    assert parameters(build("unet", width=64, depth=4, channels=3, outputs=2)) == 31_037_698


@pytest.mark.parametrize(
    ("name", "width", "published"),
    [("unet", 32, 7.76e6), ("unetpp", 32, 9.04e6), ("unet3p", 64, 26.97e6)],
)
def test_sizes_are_those_of_the_papers(name, width, published):
    # Zhou et al. 2020 (U-Net 7.76, U-Net++ 9.04) and Huang et al. 2020 (26.97 million), printed to three digits or four
    found = parameters(build(name, width=width, depth=4, channels=3, outputs=1))
    assert found == pytest.approx(published, rel=1e-3)


@pytest.mark.parametrize("encoder", ["plain", "resnet"])
@pytest.mark.parametrize("name", PIXELS)
def test_any_size_in_two_and_three_dimensions(name, encoder):
    flat = build(name, width=4, depth=2, outputs=3, encoder=encoder).eval()
    deep = build(name, width=2, depth=2, outputs=2, encoder=encoder, dims=3).eval()
    with torch.no_grad():
        for size in [(1, 1), (3, 70), (33, 18)]:
            assert flat(torch.randn(2, 1, *size)).shape == (2, 3, *size)
        assert deep(torch.randn(1, 1, 5, 9, 12)).shape == (1, 2, 5, 9, 12)


@pytest.mark.parametrize("name", ["unet", "unetpp", "unet3p"])
def test_deep_supervision_trains_every_head(name):
    net = build(name, width=4, depth=2, deep_supervision=True).train()
    heads = net(torch.randn(2, 1, 20, 20))
    assert len(heads) == {"unet": 2, "unetpp": 2, "unet3p": 3}[name]
    assert all(head.shape == (2, 2, 20, 20) for head in heads)
    sum(head.square().mean() for head in heads).backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("name", PIXELS)
def test_no_pixel_beyond_the_radius_has_a_say(name):
    net = build(name, width=4, depth=2).double().eval()
    size, place = 96, 49
    seen = 0
    for _ in range(3):
        x = torch.randn(1, 1, size, size, dtype=torch.double, requires_grad=True)
        (slope,) = torch.autograd.grad(net(x)[0, :, place, place].sum(), x)
        where = torch.nonzero(slope[0, 0])
        if len(where):
            seen = max(seen, int((where - place).abs().max()))
    assert net.radius * 0.6 < seen <= net.radius  # a bound, and not an idle one


def test_hed_trains_every_side_and_its_sum_begins_as_their_mean():
    net = build("hed", width=4, depth=2).train()
    fused, *sides = net(torch.randn(2, 1, 20, 20))
    assert len(sides) == 3 and all(side.shape == fused.shape for side in sides)
    assert torch.allclose(fused, torch.stack(sides).mean(0), atol=1e-5)
    plain = sum(p.numel() for p in net.encoder.parameters())
    assert parameters(net) == plain + 2 * (5 + 9 + 17) + 2 * (3 * 2 + 1)


def test_windows_of_attention_hold_neighbours_and_are_put_back():
    for shape in ((2, 3, 8, 12), (1, 2, 4, 8, 12)):
        x = torch.arange(torch.Size(shape).numel()).float().reshape(shape)
        parts = vit.divided(x, 4)
        assert parts.shape == (x[:, 0].numel() // 4 ** (x.ndim - 2), 4 ** (x.ndim - 2), shape[1])
        assert torch.equal(vit.joined(parts, 4, x.shape), x)
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    first = vit.divided(torch.stack([y, x])[None], 4)[1]  # the second window of the first row
    assert first[:, 0].unique().tolist() == [0, 1, 2, 3] and first[:, 1].unique().tolist() == [4, 5, 6, 7]


def test_a_cell_attends_to_its_whole_window_and_to_no_other():
    torch.manual_seed(0)
    net = build("vit", width=4, depth=2).eval()
    x = torch.randn(1, 16, 8, 8, requires_grad=True)
    (slope,) = torch.autograd.grad(net.coarsest(x)[0, :, 1, 1].sum(), x)
    seen = slope[0].abs().amax(0) > 0
    assert seen[:4, :4].all() and not seen[4:].any() and not seen[:, 4:].any()


def test_unknown_depth_of_fcn_is_refused():
    with pytest.raises(ValueError, match="depth of 2"):
        build("fcn", depth=1)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", [name for name in PIXELS if name != "vit"])  # its windows lie on a grid of their own
def test_a_periodic_image_that_is_rolled_gives_the_rolled_answer(name, dims):
    torch.manual_seed(1)
    net = build(name, width=2, depth=2, dims=dims, padding="circular", encoder="resnet").double()
    x = torch.randn(2, 1, *[16, 24, 12][:dims], dtype=torch.double)
    net(x)  # gives the normalisation something to be
    net.eval()
    shift, axes = [4, -8, 4][:dims], list(range(2, 2 + dims))
    with torch.no_grad():
        torch.testing.assert_close(net(x.roll(shift, axes)), net(x).roll(shift, axes))
        bounded = build(name, width=2, depth=2, dims=dims).double().eval()
        assert not torch.allclose(bounded(x.roll(shift, axes)), bounded(x).roll(shift, axes))


@pytest.mark.parametrize("padding", ["zeros", "reflect", "circular"])
@pytest.mark.parametrize("name", PIXELS)
def test_padding_takes_any_size_and_changes_no_parameter(name, padding):
    net = build(name, width=2, depth=2, padding=padding).eval()
    assert {k: v.shape for k, v in net.state_dict().items()} == {
        k: v.shape for k, v in build(name, width=2, depth=2).state_dict().items()
    }
    with torch.no_grad():
        for size in [(1, 1), (3, 70), (33, 18)]:
            assert net(torch.randn(1, 1, *size)).shape == (1, 2, *size)


def test_a_mirrored_margin_is_the_answer_within_the_mirrored_image():
    net = build("unet", width=2, depth=1, padding="reflect", norm="none").double().eval()
    x = torch.randn(1, 1, 16, 16, dtype=torch.double)
    first = net.encoder.blocks[0].first
    wide = torch.nn.functional.pad(x, [1] * 4, "reflect")
    expected = torch.nn.functional.conv2d(wide, first[0].weight, first[0].bias)
    torch.testing.assert_close(first[0](x), expected)
