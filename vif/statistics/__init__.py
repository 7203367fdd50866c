"""Statistics of evaluation and review: pure functions of numbers, with their uncertainty.

    cases           what is measured: cases and their repeats
    bootstrap       intervals by resampling whole cases
    proportions     Wilson, shares of clustered calls, win rate, sign test
    correlation     Pearson, Spearman, errors against targets, spread over repeats, discrimination
    paired          two models on the same cases; McNemar; Holm
    agreement       Krippendorff's alpha, ICC, percent agreement
    bradley_terry   strengths of systems from votes on pairs
    position        do raters prefer a side?
    pareto          who is not beaten on quality, latency and cost together

Everywhere: the first axis is cases (items, units), whose number is what counts as evidence; randomness is a
`numpy.random.Generator` that is passed in, so the same seed gives the same interval; NaN and infinity are refused with
an InputError that says where they are, except in `agreement`, where a NaN rating is a missing one; what cannot be
known is None with a reason in words, never NaN.
"""
