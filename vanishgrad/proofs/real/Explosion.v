(* T7 (b): an LSTM whose states are bounded can have a gradient that explodes.

   One unit with U_g = w, biases b_i = b_o = b and b_f = - b, no input, started at rest.  Its hidden
   states never leave [-1, 1] (hidden_bounded), and yet

      dh_T / dh_0 >= (w sigma b^2)^T,

   which tends to infinity as soon as w sigma b^2 > 1; for large b that is every w > 1.  Gradient
   clipping is still needed. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential Lstm AtRest.
Local Open Scope R_scope.

Section Explosion.
Variables w b : R.
Hypothesis w_pos : 0 < w.
Let N := self_fed w b (- b) b.
Let dc := dc_unit w b (- b) b (one, still).
Let dh := dh_unit w b (- b) b (one, still).

Lemma gradient_grows T : 0 <= dc T /\ (w * sigma b ^ 2) ^ T <= dh T.
Proof.
assert (s0 : 0 < sigma b) by apply sigma_range; assert (f0 : 0 < sigma (- b)) by apply sigma_range.
assert (k0 : 0 <= w * sigma b ^ 2) by (apply Rmult_le_pos; [lra|apply pow2_ge_0]).
induction T as [|T [IHc IHh]]; [unfold dc, dh, dc_unit, dh_unit, dc_at, dh_at, one, still; simpl; lra|].
assert (dh0 : 0 <= dh T) by (eapply Rle_trans; [|exact IHh]; now apply pow_le).
assert (cell : sigma b * w * dh T <= dc (S T)).
{ unfold dc; rewrite unit_cell; fold (dc T) (dh T); assert (0 <= sigma (- b) * dc T) by nra; lra. }
assert (0 <= sigma b * w * dh T) by (repeat apply Rmult_le_pos; lra).
split; [lra|]; unfold dh; rewrite unit_hidden; fold (dc (S T)).
apply Rle_trans with (sigma b * (sigma b * w * dh T)); [|apply Rmult_le_compat_l; lra].
replace (sigma b * (sigma b * w * dh T)) with (w * sigma b ^ 2 * dh T) by ring.
now apply Rmult_le_compat_l.
Qed.

Theorem T7b_explosion T : exists d,
  is_derive (fun y => h_at N T (fun _ => y, still) 0%nat) 0 d /\ (w * sigma b ^ 2) ^ T <= d.
Proof.
exists (dh T); split; [|apply gradient_grows].
apply (T4_run N T (fun y _ => y) (fun _ => still) 0 one still); [|apply still_velocity].
intros i; exact (is_derive_id (K:=R_AbsRing) 0).
Qed.

Corollary T7b_unbounded bound : 1 < w * sigma b ^ 2 -> exists T d,
  is_derive (fun y => h_at N T (fun _ => y, still) 0%nat) 0 d /\ bound < d.
Proof.
intros big; pose proof (is_lim_seq_geom_p _ big) as grows; apply is_lim_seq_spec in grows.
destruct (grows bound) as [T far]; destruct (T7b_explosion T) as (d & hd & le); exists T, d.
split; [easy|]; apply Rlt_le_trans with (2 := le); now apply far.
Qed.
End Explosion.
