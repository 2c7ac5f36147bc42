(* T6: gate closure of the real GRU, in both reset conventions, any size, any inputs.

     z, r = sigma (U h_{t-1} + u_t),   h_t = (1 - z) n + z h_{t-1}   (z keeps),   and
     reset after:   n = tanh (r (U_n h_{t-1} + b_n) + u_t)    (PyTorch, Keras),
     reset before:  n = tanh (U_n (r h_{t-1}) + u_t)          (Cho 2014).

   T6_gate_closure.  Let |h_0| <= 1 and 1 - z <= eps in the first T steps.  Then |h_t| <= 1, and along every
   curve of initial states with velocity v the state h_T moves with a velocity d such that, in a
   weighted max-norm,

      (1 - eps K)^T |v| <= |d| <= (1 + eps K)^T |v|,     K = 1 + 2 |U_z| + Kn,

   Kn = |U_n| + m |U_r| / 4 with m = max_j (sum_i |U_n j i| + |b_n j|) after,
   Kn = |U_n| (1 + |U_r| / 4) before.
   T6_horizon.  With eps K <= 1/T and T >= 2 the gradient stays between 1/4 and e: closing the one gate of
   a GRU excludes vanishing and explosion on that horizon. *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential MaxNorm LstmBounds Chrono.
Local Open Scope R_scope.

Record gru := Gru { gru_size : nat; reset_after : bool; Uz : mat; Ur : mat; Un : mat; bn : vec;
                    uz : nat -> vec; ur : nat -> vec; un : nat -> vec }.

Section Cell.
Variable N : gru.
Let n := gru_size N.

Definition gate_z t (h : vec) j := sigma (mulmx n (Uz N) h j + uz N t j).
Definition gate_r t (h : vec) j := sigma (mulmx n (Ur N) h j + ur N t j).
Definition candidate_drive t (h : vec) j :=
  if reset_after N then gate_r t h j * (mulmx n (Un N) h j + bn N j) + un N t j
  else mulmx n (Un N) (fun i => gate_r t h i * h i) j + un N t j.
Definition candidate t h j := tanh (candidate_drive t h j).
Definition gru_next t (h : vec) : vec := fun j => (1 - gate_z t h j) * candidate t h j + gate_z t h j * h j.

Fixpoint gru_at T (h : vec) : vec := match T with O => h | S t => gru_next T (gru_at t h) end.

(* the derivatives of r, of the candidate's drive (K of T6) and of the step (J), applied to w *)
Definition dr t (h w : vec) j := gate_r t h j * (1 - gate_r t h j) * mulmx n (Ur N) w j.
Definition actK t (h w : vec) : vec := fun j =>
  if reset_after N then dr t h w j * (mulmx n (Un N) h j + bn N j) + gate_r t h j * mulmx n (Un N) w j
  else mulmx n (Un N) (fun i => dr t h w i * h i + gate_r t h i * w i) j.
Definition actJ t (h w : vec) : vec := fun j => gate_z t h j * w j
  + (h j - candidate t h j) * (gate_z t h j * (1 - gate_z t h j)) * mulmx n (Uz N) w j
  + (1 - gate_z t h j) * (1 - candidate t h j ^ 2) * actK t h w j.

Fixpoint gru_tangent T (h w : vec) : vec :=
  match T with O => w | S t => actJ T (gru_at t h) (gru_tangent t h w) end.

Lemma gate_velocity U (u : nat -> vec) t (h : R -> vec) e w j : velocity h e w ->
  let a y := mulmx n U (h y) j + u t j in
  is_derive (fun y => sigma (a y)) e (sigma (a e) * (1 - sigma (a e)) * mulmx n U w j).
Proof.
intros hw a; apply (derive_comp sigma a); [apply is_derive_sigma|now apply derive_affine].
Qed.

Lemma drive_velocity t (h : R -> vec) e w : velocity h e w ->
  velocity (fun y => candidate_drive t (h y)) e (actK t (h e) w).
Proof.
intros hw j; unfold candidate_drive, actK.
assert (hr : velocity (fun y => gate_r t (h y)) e (dr t (h e) w)) by (intros i; now apply gate_velocity).
destruct (reset_after N).
- evar_last.
  + apply derive_add; [apply derive_mul; [apply hr|now apply derive_affine]|apply derive_const].
  + apply Rplus_0_r.
- apply (derive_affine n (Un N) (fun y i => gate_r t (h y) i * h y i)).
  intros i; apply derive_mul; [apply hr|apply hw].
Qed.

Theorem T6_step t (h : R -> vec) e w : velocity h e w ->
  velocity (fun y => gru_next t (h y)) e (actJ t (h e) w).
Proof.
intros hw j; unfold gru_next.
assert (hz := gate_velocity (Uz N) (uz N) t h e w j hw).
evar_last.
- apply derive_add; apply derive_mul; [|apply (derive_comp tanh)|exact hz|apply hw].
  + apply (is_derive_minus (V:=R_NormedModule)); [apply derive_const|exact hz].
  + apply is_derive_tanh.
  + now apply drive_velocity.
- unfold actJ, candidate, gate_z, minus, plus, opp; simpl; ring.
Qed.

Theorem T6_run T (h : R -> vec) e w : velocity h e w ->
  velocity (fun y => gru_at T (h y)) e (gru_tangent T (h e) w).
Proof.
intros hw; induction T as [|T IH]; [exact hw|]; simpl.
now apply (T6_step (S T) (fun y => gru_at T (h y))).
Qed.

Theorem T6_box T h : (forall j, Rabs (h j) <= 1) -> forall j, Rabs (gru_at T h j) <= 1.
Proof.
intros start; induction T as [|T IH]; [exact start|]; intros j; simpl; unfold gru_next.
set (z := gate_z _ _ _); assert (z01 : 0 < z < 1) by apply sigma_range.
eapply Rle_trans; [apply Rabs_triang|]; rewrite !Rabs_mult, !(Rabs_pos_eq z), (Rabs_pos_eq (1 - z)) by lra.
pose proof (IH j); pose proof (tanh_abs_le1 (candidate_drive (S T) (gru_at T h) j)); unfold candidate; nra.
Qed.
End Cell.

Section Closure.
Variables (N : gru) (x : vec).
Hypothesis x_pos : forall i, 0 < x i.
Let n := gru_size N.
Let op U := opnorm n x U.

Definition drive_bound := norm n ones (fun j => sumR n (fun i => Rabs (Un N j i) * 1) + Rabs (bn N j)).
Definition candidate_gain := if reset_after N then op (Un N) + drive_bound * (op (Ur N) / 4)
                             else op (Un N) * (1 + op (Ur N) / 4).
Definition gru_gain := 1 + 2 * op (Uz N) + candidate_gain.

Lemma op_ge0 U : 0 <= op U.
Proof. apply opnorm_ge0. Qed.

Lemma gru_gain_ge1 : 1 <= gru_gain.
Proof.
unfold gru_gain, candidate_gain; pose proof (op_ge0 (Uz N)); pose proof (op_ge0 (Ur N)).
pose proof (op_ge0 (Un N)); assert (0 <= drive_bound) by apply norm_ge0.
destruct (reset_after N); nra.
Qed.

Lemma dr_le t h w : norm n x (dr N t h w) <= op (Ur N) / 4 * norm n x w.
Proof.
replace (op (Ur N) / 4) with (1 / 4 * op (Ur N)) by field.
apply norm_gate; [easy|lra|]; intros; apply Rabs_sigma'_le.
Qed.

Lemma gate_r_le t h w : norm n x (fun j => gate_r N t h j * w j) <= norm n x w.
Proof.
rewrite <- (Rmult_1_l (norm n x w)); apply norm_diag; [easy|lra|]; intros j _; unfold gate_r.
set (a := _ + ur N t j); pose proof (sigma_range a); apply Rabs_le; lra.
Qed.

Lemma drive_le h j : (j < n)%nat -> (forall i, Rabs (h i) <= 1) ->
  Rabs (mulmx n (Un N) h j + bn N j) <= drive_bound.
Proof.
intros hj box; set (m := fun j => sumR n (fun i => Rabs (Un N j i) * 1) + Rabs (bn N j)).
pose proof (le_norm (x:=ones) ones_pos n m j hj) as le; fold drive_bound in le.
unfold ones at 2 in le; rewrite Rmult_1_r in le.
eapply Rle_trans; [apply Rabs_triang|eapply Rle_trans; [|exact le]].
eapply Rle_trans; [|apply Rle_abs]; unfold m.
now apply Rplus_le_compat_r, mulmx_le.
Qed.

Lemma candidate_le t h w : (forall j, Rabs (h j) <= 1) ->
  norm n x (actK N t h w) <= candidate_gain * norm n x w.
Proof.
intros box; pose proof (norm_ge0 (x:=x) n w) as w0.
unfold actK, candidate_gain; destruct (reset_after N).
- eapply Rle_trans; [apply norm_add, x_pos|]; rewrite Rplus_comm, Rmult_plus_distr_r.
  apply Rplus_le_compat.
  + eapply Rle_trans; [apply gate_r_le|apply norm_mulmx, x_pos].
  + rewrite (norm_ext x_pos n _ (fun j => (mulmx n (Un N) h j + bn N j) * dr N t h w j))
      by (intros; apply Rmult_comm).
    rewrite Rmult_assoc.
    eapply Rle_trans; [apply norm_diag with (c := drive_bound); [easy|apply norm_ge0|]|].
    * intros j hj; now apply drive_le.
    * apply Rmult_le_compat_l; [apply norm_ge0|apply dr_le].
- eapply Rle_trans; [apply norm_mulmx, x_pos|]; rewrite Rmult_assoc.
  apply Rmult_le_compat_l; [apply op_ge0|].
  eapply Rle_trans; [apply norm_add, x_pos|]; rewrite Rplus_comm, Rmult_plus_distr_r, Rmult_1_l.
  apply Rplus_le_compat; [apply gate_r_le|].
  rewrite (norm_ext x_pos n _ (fun j => h j * dr N t h w j)) by (intros; apply Rmult_comm).
  eapply Rle_trans; [apply norm_diag with (c := 1); [easy|lra|intros; apply box]|].
  rewrite Rmult_1_l; apply dr_le.
Qed.

(* J - I carries the factor 1 - z in every term. *)
Theorem T6_near_identity t h w eps : 0 <= eps -> (forall j, Rabs (h j) <= 1) ->
  (forall j, (j < n)%nat -> 1 - gate_z N t h j <= eps) ->
  norm n x (fun j => actJ N t h w j - w j) <= eps * gru_gain * norm n x w.
Proof.
intros e0 box shut; pose proof (norm_ge0 (x:=x) n w) as w0.
assert (z01 : forall j, 0 < gate_z N t h j < 1) by (intros; apply sigma_range).
assert (c1 : forall j, Rabs (candidate N t h j) <= 1) by (intros; apply tanh_abs_le1).
rewrite (norm_ext x_pos n _ (fun j => (- (1 - gate_z N t h j)) * w j
  + (h j - candidate N t h j) * (gate_z N t h j * (1 - gate_z N t h j)) * mulmx n (Uz N) w j
  + (1 - gate_z N t h j) * (1 - candidate N t h j ^ 2) * actK N t h w j))
  by (intros; unfold actJ; fold n; ring).
unfold gru_gain; replace (eps * (1 + 2 * op (Uz N) + candidate_gain) * norm n x w)
  with (eps * norm n x w + 2 * eps * op (Uz N) * norm n x w + eps * (candidate_gain * norm n x w)) by ring.
eapply Rle_trans; [apply norm_add, x_pos|apply Rplus_le_compat].
- eapply Rle_trans; [apply norm_add, x_pos|apply Rplus_le_compat].
  + apply norm_diag; [easy|easy|]; intros j hj; rewrite Rabs_Ropp, Rabs_pos_eq; [now apply shut|].
    pose proof (z01 j); lra.
  + apply norm_gate; [easy|lra|]; intros j hj; pose proof (z01 j); pose proof (shut j hj).
    apply Rabs_mul_le; [|rewrite Rabs_pos_eq; nra].
    eapply Rle_trans; [apply Rabs_triang|]; rewrite Rabs_Ropp; pose proof (box j); pose proof (c1 j); lra.
- eapply Rle_trans; [apply norm_diag with (c := eps); [easy|easy|]|].
  + intros j hj; rewrite <- (Rmult_1_r eps); apply Rabs_mul_le; [|apply tanh'_abs_le1].
    pose proof (z01 j); rewrite Rabs_pos_eq; [now apply shut|lra].
  + apply Rmult_le_compat_l; [easy|now apply candidate_le].
Qed.

Section Horizon.
Variables (T : nat) (h : R -> vec) (e : R) (v : vec) (eps : R).
Hypothesis eps_ge0 : 0 <= eps.
Hypothesis box : forall j, Rabs (h e j) <= 1.
Hypothesis shut : forall t j, (t < T)%nat -> (j < n)%nat -> 1 - gate_z N (S t) (gru_at N t (h e)) j <= eps.
Hypothesis moves : velocity h e v.

Theorem T6_gate_closure : eps * gru_gain <= 1 ->
  exists d, velocity (fun y => gru_at N T (h y)) e d /\
    (1 - eps * gru_gain) ^ T * norm n x v <= norm n x d <= (1 + eps * gru_gain) ^ T * norm n x v.
Proof.
intros weak; pose proof gru_gain_ge1; assert (0 <= eps * gru_gain) by (apply Rmult_le_pos; lra).
exists (gru_tangent N T (h e) v); split; [now apply T6_run|].
set (k := eps * gru_gain) in *.
assert (all : forall t, (t <= T)%nat ->
  (1 - k) ^ t * norm n x v <= norm n x (gru_tangent N t (h e) v) <= (1 + k) ^ t * norm n x v).
2: now apply all.
induction t as [|t IH]; intros ht; [simpl; lra|]; specialize (IH ltac:(lia)).
set (w := gru_tangent N t (h e) v) in *.
assert (near := T6_near_identity (S t) (gru_at N t (h e)) w eps eps_ge0 (T6_box N t _ box)
  (fun j hj => shut t j ht hj)); fold k in near.
change (gru_tangent N (S t) (h e) v) with (actJ N (S t) (gru_at N t (h e)) w).
set (Jw := actJ N (S t) (gru_at N t (h e)) w) in *.
pose proof (norm_add x_pos n w (fun j => Jw j - w j)) as up.
pose proof (norm_add_ge x_pos n w (fun j => Jw j - w j)) as down.
assert (whole : norm n x (fun i => w i + (Jw i - w i)) = norm n x Jw).
{ apply norm_ext; [easy|intros; ring]. }
cbv beta in up, down; rewrite whole in up, down.
rewrite <- !tech_pow_Rmult, !Rmult_assoc; split.
- apply Rle_trans with ((1 - k) * norm n x w); [apply Rmult_le_compat_l|]; lra.
- apply Rle_trans with ((1 + k) * norm n x w); [|apply Rmult_le_compat_l]; lra.
Qed.

Theorem T6_horizon : (2 <= T)%nat -> eps * gru_gain <= / INR T ->
  exists d, velocity (fun y => gru_at N T (h y)) e d /\
    1 / 4 * norm n x v <= norm n x d <= exp 1 * norm n x v.
Proof.
intros hT small; pose proof gru_gain_ge1; assert (k0 : 0 <= eps * gru_gain) by (apply Rmult_le_pos; lra).
pose proof (inv_INR T ltac:(lia)) as [i0 i1]; pose proof (norm_ge0 (x:=x) n v) as v0.
destruct T6_gate_closure as (d & hd & lo & hi); [lra|]; exists d; split; [easy|split].
- eapply Rle_trans; [|exact lo]; apply Rmult_le_compat_r; [easy|].
  eapply Rle_trans; [apply (T8_retention T hT)|apply pow_incr; lra].
- eapply Rle_trans; [exact hi|]; apply Rmult_le_compat_r; [easy|].
  eapply Rle_trans; [apply growth_le_exp; lra|].
  assert (INR T * (eps * gru_gain) <= 1) as [h1| ->]; [|left; now apply exp_increasing|apply Rle_refl].
  rewrite <- (Rinv_r (INR T)) by (apply not_0_INR; lia); apply Rmult_le_compat_l; [apply pos_INR|easy].
Qed.
End Horizon.
End Closure.
