"""Coq proofs: a library of theorems in three rooms, and Coq itself where it is installed.

=============  ==================================================  ==================================================
room           needs (Debian packages)                             axioms
=============  ==================================================  ==================================================
``abstract/``  coq, libcoq-mathcomp-algebra                        none
``real/``      coq, libcoq-coquelicot                              at most the four of Coq's classical reals
``cert/``      coq                                                 three of those four
=============  ==================================================  ==================================================
"""
