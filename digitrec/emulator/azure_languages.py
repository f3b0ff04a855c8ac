"""The language codes that the Azure services take: their pages "Language support", the SDKs' lists."""

from __future__ import annotations

_READ = """
af sq anp ar ast awa az bfy eu be be-cyrl be-latn bho bi brx bs bra br bg bns bua ca ceb rab ch hne zh-hans
zh-hant kw co crh hr cs da prs dhi doi nl en myv et fo fj fil fi fr fur gag gl de gil gon kl gvr ht hlb hni
bgc haw hi mww hoc hu is smn id ia iu ga it ja jns jv kea kac xnr krc kaa kaa-cyrl csb kk kk-cyrl kk-latn
klr kha quc ko kfq kpy kos kum ku ku-arab ku-latn kru ky lkt la lt dsb smj lb bfz ms mt kmj gv mi mr mn cnr-
cyrl cnr-latn nap ne niu nog sme no oc os ps fa pl pt pa ksh ro rm ru sck sm sa sat sco gd sr sr-cyrl sr-
latn xsr srx sms sk sl so sma es sw sv tg tt tet thf to tr tk tyv hsb ur ug uz uz-arab uz-cyrl vo wae cy fy
yua za zu
"""
_ANALYSIS = """
ar az bg bs ca cs cy da de el en es et eu fi fr ga gl he hi hr hu id it ja kk ko lt lv mk ms nb nl pl prs pt
pt-br pt-pt ro ru sk sl sr-cyrl sr-latn sv th tr uk vi zh zh-hans zh-hant
"""

READ = frozenset(_READ.split())
"""What Read 3.2 takes, in lower case: it is then forced to read this language."""
ANALYSIS = frozenset(_ANALYSIS.split())
"""What Image Analysis 4.0 takes, in lower case: the language of its tags. Text is read in any language."""
