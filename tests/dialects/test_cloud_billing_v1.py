"""Cloud Billing's price list: the entries about training, and what they say of an hour."""

from typing import Any

from cloudml_magic.dialects import cloud_billing_v1 as billing


def sku(description: str, *tiers: tuple[str, int], unit: str = "h", regions: tuple[str, ...] = ("us-central1",)) -> Any:
    """An entry as the discovery document describes it."""
    return {
        "name": "services/C7E2-9256-1C43/skus/0000-0000-0000",
        "skuId": "0000-0000-0000",
        "description": description,
        "category": {"resourceFamily": "ApplicationServices", "usageType": "OnDemand"},
        "serviceRegions": list(regions),
        "serviceProviderName": "Google",
        "pricingInfo": [
            {
                "pricingExpression": {
                    "usageUnit": unit,
                    "tieredRates": [
                        {
                            "startUsageAmount": index,
                            "unitPrice": {"currencyCode": "USD", "units": units, "nanos": nanos},
                        }
                        for index, (units, nanos) in enumerate(tiers)
                    ],
                }
            }
        ],
    }


PAGE = {
    "skus": [
        sku("Vertex AI: Training/Pipelines on N1 Predefined Instance Core running in Americas", ("0", 36352650)),
        sku("Vertex AI: Training/Pipelines on N1 Predefined Instance Ram running in Americas", ("0", 4872550), unit="GiBy.h"),
        sku("Vertex AI: Training/Pipelines on A3 Instance RAM in Iowa", ("0", 2553400), unit="GBy.h"),
        sku("Vertex AI: Training/Pipelines on NVIDIA Tesla T4 GPU running in Americas", ("0", 0), ("0", 402500000)),
        sku("Vertex AI: Training/Pipelines on NVIDIA A100 80GB in Iowa", ("4", 517292500)),
        sku("Vertex AI: Training/Pipelines on NVIDIA H100 80GB in Iowa", ("11", 266033200)),
        sku("Vertex AI: Training/Pipelines on NVIDIA H100 Mega 80GB in Iowa", ("12", 0)),
        sku("Vertex AI: Training/Pipelines on NVIDIA H100 80GB in Belgium", ("13", 0), regions=("europe-west1",)),
        sku("Vertex AI: Training/Pipelines management fee on NVIDIA H100 80GB in Iowa", ("1", 469482600)),
        sku("Vertex AI: Training/Pipelines Management fee on N1 Instance Core in Americas", ("0", 4741650)),
        sku("Vertex AI: Training/Pipelines on SSD backed PD Capacity", ("0", 195500000), unit="GiBy.mo"),
        sku("Vertex AI: Online/Batch Prediction N1 Predefined Instance Core running in Americas", ("0", 36352650)),
        {"description": "Vertex AI: Training/Pipelines on E2 Instance Core running in Americas", "serviceRegions": ["us-central1"]},
    ],
    "nextPageToken": "more",
}  # fmt: skip


def test_the_call_asks_for_vertex_ai_in_dollars_page_by_page() -> None:
    """The service has a number that does not change."""
    call = billing.list_skus("more")
    assert call.method == "cloudbilling.services.skus.list"
    assert call.parameters == {
        "parent": "services/C7E2-9256-1C43",
        "pageSize": 5000,
        "currencyCode": "USD",
        "pageToken": "more",
    }


def test_rates_of_a_region_are_read_by_what_they_are_for() -> None:
    """The last tier counts; fees, disks, predictions and other regions are something else."""
    rates, page_token = billing.read_rates(PAGE, "us-central1")
    assert rates == {
        "n1/vcpu": 0.03635265,
        "n1/gib": 0.00487255,
        "a3/gib": 0.0025534,
        "T4": 0.4025,
        "A100-80": 4.5172925,
        "H100": 11.2660332,
        "H100-MEGA": 12.0,
    }
    assert page_token == "more"


def test_a_page_without_anything_is_the_last() -> None:
    """An empty token is none."""
    assert billing.read_rates({"nextPageToken": ""}, "us-central1") == ({}, None)
