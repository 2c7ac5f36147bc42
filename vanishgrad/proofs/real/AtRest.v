(* A one-unit LSTM at rest, where the whole Jacobian can be written down.

   Only the candidate feeds back, U_g = w; the gates stand at their biases and the input is 0.  The zero
   state is then a fixed point, around which

      dc_{t+1} = f dc_t + i w dh_t,    dh_{t+1} = o dc_{t+1}.

   Two warnings of the theory live here: R26 (ForgetGateAlone) and T7 (b) (Explosion). *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Lstm.
Local Open Scope R_scope.

Definition one : vec := fun _ => 1.
Definition rest : vec * vec := (still, still).

Definition self_fed w b_i b_f b_o := {|
  size := 1; Ui := zero; Uf := zero; Ug := fun _ _ => w; Uo := zero;
  ui := constant b_i; uf := constant b_f; ug := constant 0; uo := constant b_o |}.

Section AtRest.
Variables w b_i b_f b_o : R.
Let N := self_fed w b_i b_f b_o.

Lemma at_bias b n t h j : sigma (mulmx n zero h j + constant b t j) = sigma b.
Proof. rewrite mulmx_zero; unfold constant; f_equal; ring. Qed.

Lemma candidate_zero t h j : h 0%nat = 0 -> gate_g N t h j = 0.
Proof.
intros h0; rewrite <- tanh_zero; unfold gate_g; f_equal.
unfold mulmx, N; simpl; rewrite h0; unfold constant; ring.
Qed.

Lemma at_rest t j : h_at N t rest j = 0 /\ c_at N t rest j = 0.
Proof.
revert j; induction t as [|t IH]; [easy|]; intros j.
assert (c0 : c_at N (S t) rest j = 0).
{ rewrite c_at_S; unfold c_next; rewrite candidate_zero by apply IH; destruct (IH j) as [_ ->]; ring. }
split; [|exact c0]; rewrite h_at_S; unfold h_next; rewrite <- c_at_S, c0, tanh_zero; ring.
Qed.

Variable d : vec * vec.
Definition dc_unit t := dc_at N t rest d 0%nat.
Definition dh_unit t := dh_at N t rest d 0%nat.

Theorem unit_cell t : dc_unit (S t) = sigma b_f * dc_unit t + sigma b_i * w * dh_unit t.
Proof.
unfold dc_unit, dh_unit; rewrite dc_at_S; set (dh := dh_at N t rest d); unfold dc_next, actF, actC.
rewrite candidate_zero by apply at_rest; destruct (at_rest t 0) as [_ ->].
assert (f : forall h, gate_f N (S t) h 0 = sigma b_f) by (intros; apply at_bias).
assert (i : forall h, gate_i N (S t) h 0 = sigma b_i) by (intros; apply at_bias).
assert (g : mulmx (size N) (Ug N) dh 0 = w * dh 0%nat) by (unfold mulmx; simpl; ring).
rewrite f, i, g; ring.
Qed.

Theorem unit_hidden t : dh_unit (S t) = sigma b_o * dc_unit (S t).
Proof.
unfold dc_unit, dh_unit; rewrite dh_at_S, dc_at_S; unfold dh_next, actO, actE.
rewrite <- c_at_S; destruct (at_rest (S t) 0) as [_ ->]; rewrite tanh_zero.
assert (o : forall h, gate_o N (S t) h 0 = sigma b_o) by (intros; apply at_bias).
rewrite o; ring.
Qed.
End AtRest.
