(* Identities between polynomials and fractions over any field of mathcomp, decided by Coq's own field tactic.

   Coq's tactic wants one syntactic form of +, *, ..., which mathcomp's structures do not keep; so every operation is
   first renamed to that of one fixed field.  In a section with a field R, write

     Add Field R_field : (field_of [fieldType of R]).
     Ltac identity := decide_in [fieldType of R].

   after which `identity` proves an equality, and leaves the denominators that must not vanish. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum.
From Coq Require Export Ring Field.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section OneField.
Variable F : fieldType.
Implicit Types x y : F.

Definition zero : F := 0.
Definition one : F := 1.
Definition add x y : F := x + y.
Definition mul x y : F := x * y.
Definition opp x : F := - x.
Definition inv x : F := x^-1.

Lemma renamed :
  (0 = zero) * (1 = one) * (forall x y, x + y = add x y) * (forall x y, x * y = mul x y) *
  (forall x, - x = opp x) * (forall x, x^-1 = inv x).
Proof. by []. Qed.

Lemma field_of : @field_theory F zero one add mul (fun x y => add x (opp y)) opp
  (fun x y => mul x (inv y)) inv eq.
Proof.
split=> //; last by move=> x /eqP; apply: mulVf.
- split=> *; rewrite -?renamed ?add0r ?mul1r ?mulrDl ?mulrA ?addrA ?subrr //; [exact: addrC|exact: mulrC].
- by move/eqP; rewrite oner_eq0.
Qed.
End OneField.

Ltac decide_in F :=
  rewrite ?exprS ?expr0 ?mulrS ?mulr0n ?(renamed F);
  match goal with |- @eq _ ?a ?b => change (@eq (GRing.Field.sort F) a b) end;
  field.
