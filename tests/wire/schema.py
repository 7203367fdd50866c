"""A schema like LLM #1's: made by Pydantic, keys with hyphens, bounds on numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vif.llm.protocol import OutputSchema

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Boundary(_Strict):
    permeability: Share
    status: Literal["Maintained", "Transitional", "Transcendent"]


class Domains(_Strict):
    cd: Share = Field(alias="CD")
    sd: Share = Field(alias="SD")
    cud: Share = Field(alias="CuD")
    ed: Share = Field(alias="ED")


class Boundaries(_Strict):
    cd_sd: Boundary = Field(alias="CD-SD")
    cd_cud: Boundary = Field(alias="CD-CuD")
    cd_ed: Boundary = Field(alias="CD-ED")
    sd_cud: Boundary = Field(alias="SD-CuD")
    sd_ed: Boundary = Field(alias="SD-ED")
    cud_ed: Boundary = Field(alias="CuD-ED")


class Reading(_Strict):
    reasoning: str
    domains: Domains
    boundaries: Boundaries
    patterns: list[str]


READING_SCHEMA = OutputSchema("reading", Reading.model_json_schema(by_alias=True))
