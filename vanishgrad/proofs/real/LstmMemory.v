(* T5: when the real LSTM does not forget.

   Start from (h_0, c_0), keep h_0 and move c_0 along a curve with velocity v.  Suppose that in the first T
   steps every forget gate is at least 1 - eps, every input gate at most iota, and |c| <= cbar.  Write
   |.| for a weighted max-norm, omega = |U_o| / 4,  kappa = cbar eps |U_f| + iota (|U_i| + |U_g|).
   Then c_T moves with a velocity d such that

   T5a_conveyor  the forget gates alone leave at least (1 - eps)^T |v|;
   T5b_cone      |d| >= phi rho^(T-1) |v|      if sqrt phi >= sqrt omega + sqrt (kappa eta),  where
                 phi = 1 - eps, o <= eta, and rho is the larger root of T5 (b);
   T5b_total     the same with rho^T if h_0 moves along, at most eta times as fast;
   T5c_additive  |d| >= ((1 - eps)^T - ((1 + theta)^(T-1) - 1)) |v|,   theta = kappa / (1 - omega),
                 if omega < 1;
   T5c_floor     |d| >= 0.4659 |v|   for every T, if eps and theta are at most 1/(4T). *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars Exponential MaxNorm Lstm LstmBounds Majorants.
Local Open Scope R_scope.

(* In the first T steps the forget gates are open, the input gates shut, the memory bounded. *)
Definition gates_hold N T (h0 c0 : vec) eps iota cbar :=
  forall t, (t < T)%nat -> forall j, (j < size N)%nat ->
  1 - eps <= gate_f N (S t) (h_at N t (h0, c0)) j /\
  gate_i N (S t) (h_at N t (h0, c0)) j <= iota /\
  Rabs (c_at N t (h0, c0) j) <= cbar.

Definition hidden_gain N x := opnorm (size N) x (Uo N) / 4.
Definition detour_gain N x eps iota cbar :=
  cbar * eps * opnorm (size N) x (Uf N) + iota * (opnorm (size N) x (Ui N) + opnorm (size N) x (Ug N)).

(* The conveyor: what the forget gates alone do to v. *)
Fixpoint conveyor N T s (v : vec) : vec :=
  match T with O => v | S t => actF N T (h_at N t s) (conveyor N t s v) end.

Section Memory.
Variables (N : lstm) (x : vec) (T : nat) (h0 c0 w v : vec) (eps iota cbar : R).
Hypothesis x_pos : forall i, 0 < x i.
Hypothesis eps_range : 0 <= eps <= 1.
Hypothesis iota_ge0 : 0 <= iota.
Hypothesis cbar_ge0 : 0 <= cbar.
Hypothesis hold : gates_hold N T h0 c0 eps iota cbar.
Let n := size N.
Let s := (h0, c0).
Let omega := hidden_gain N x.
Let kappa := detour_gain N x eps iota cbar.
Let dh t := dh_at N t s (w, v).
Let dc t := dc_at N t s (w, v).

Lemma hidden_gain_ge0 : 0 <= omega.
Proof. pose proof (opnorm_ge0 (x:=x) n (Uo N)); unfold omega, hidden_gain; fold n; lra. Qed.

Lemma detour_gain_ge0 : 0 <= kappa.
Proof.
unfold kappa, detour_gain; fold n.
pose proof (opnorm_ge0 (x:=x) n (Uf N)); pose proof (opnorm_ge0 (x:=x) n (Ui N)).
pose proof (opnorm_ge0 (x:=x) n (Ug N)).
apply Rplus_le_le_0_compat; apply Rmult_le_pos; try lra; now apply Rmult_le_pos.
Qed.

Lemma forget_le1 t h j : Rabs (gate_f N t h j) <= 1.
Proof.
unfold gate_f; set (a := _ + uf N t j); pose proof (sigma_range a); apply Rabs_le; lra.
Qed.

Lemma C_le t p : (t < T)%nat ->
  norm n x (actC N (S t) (h_at N t s) (c_at N t s) p) <= kappa * norm n x p.
Proof.
intros ht; apply T5d_kappa; try easy; intros j hj; destruct (hold t ht j hj) as (hf & hi & hc); easy.
Qed.

Lemma dh_le eta t : 0 <= eta ->
  (forall j, (j < n)%nat -> gate_o N (S t) (h_at N t s) j <= eta) ->
  norm n x (dh (S t)) <= omega * norm n x (dh t) + eta * norm n x (dc (S t)).
Proof. intros; unfold dh, dc; rewrite dh_at_S, dc_at_S; now apply T5d_tangent. Qed.

Theorem T5a_conveyor : (1 - eps) ^ T * norm n x v <= norm n x (conveyor N T s v).
Proof.
assert (all : forall t, (t <= T)%nat -> (1 - eps) ^ t * norm n x v <= norm n x (conveyor N t s v)).
2: now apply all.
induction t as [|t IH]; intros ht; [simpl; lra|].
apply Rle_trans with ((1 - eps) * norm n x (conveyor N t s v)).
- rewrite <- tech_pow_Rmult, Rmult_assoc; apply Rmult_le_compat_l; [lra|apply IH; lia].
- apply norm_diag_ge; [easy| |lra]; intros j hj.
  eapply Rle_trans; [now apply (hold t ht j hj)|apply Rle_abs].
Qed.

Lemma conveyor_le t : norm n x (conveyor N t s v) <= norm n x v.
Proof.
induction t as [|t IH]; [apply Rle_refl|]; simpl; eapply Rle_trans; [|exact IH].
rewrite <- (Rmult_1_l (norm n x (conveyor N t s v))).
apply norm_diag; [easy|lra|intros; apply forget_le1].
Qed.

(* what the detours through h have added to the conveyor by time t *)
Let detours t := norm n x (fun j => dc t j - conveyor N t s v j).

Lemma dc_le t : norm n x (dc t) <= detours t + norm n x v.
Proof.
pose proof (norm_add x_pos n (fun j => dc t j - conveyor N t s v j) (conveyor N t s v)) as tri.
rewrite (norm_ext x_pos n _ (dc t)) in tri by (intros; ring).
pose proof (conveyor_le t); unfold detours; lra.
Qed.

Lemma detours_step t : (t < T)%nat -> detours (S t) <= detours t + kappa * norm n x (dh t).
Proof.
intros ht; unfold detours, dc; rewrite dc_at_S; fold (dh t) (dc t).
rewrite (norm_ext x_pos n _ (fun j => actF N (S t) (h_at N t s) (fun i => dc t i - conveyor N t s v i) j
  + actC N (S t) (h_at N t s) (c_at N t s) (dh t) j)) by (intros; unfold dc_next; simpl; unfold actF; ring).
eapply Rle_trans; [apply norm_add, x_pos|apply Rplus_le_compat; [|now apply C_le]].
rewrite <- (Rmult_1_l (norm n x (fun j => _ - _))).
apply norm_diag; [easy|lra|intros; apply forget_le1].
Qed.

Lemma detours_le : norm n x w = 0 -> omega < 1 ->
  detours T <= ((1 + kappa / (1 - omega)) ^ (T - 1) - 1) * norm n x v.
Proof.
intros w0 omega1.
assert (few : detours T <= ((1 + kappa * 1 / (1 - omega)) ^ (T - 1) - 1) * norm n x v).
{ apply majorant_detours with (v := fun t => norm n x (dc t)) (w := fun t => norm n x (dh t)).
  - pose proof hidden_gain_ge0; lra.
  - apply detour_gain_ge0.
  - lra.
  - apply norm_ge0.
  - split; [|exact w0]; rewrite <- (norm_zero x_pos n); apply norm_ext; [easy|].
    intros; unfold dc, dc_at; simpl; ring.
  - apply dc_le.
  - apply detours_step.
  - intros t _; apply dh_le; [lra|intros; apply gate_o_le1]. }
now rewrite Rmult_1_r in few.
Qed.

Lemma memory_upper : norm n x w = 0 -> omega < 1 ->
  norm n x (dc T) <= (1 + kappa / (1 - omega)) ^ (T - 1) * norm n x v.
Proof. intros w0 omega1; pose proof (detours_le w0 omega1); pose proof (dc_le T); lra. Qed.

Lemma memory_additive : norm n x w = 0 -> omega < 1 ->
  ((1 - eps) ^ T - ((1 + kappa / (1 - omega)) ^ (T - 1) - 1)) * norm n x v <= norm n x (dc T).
Proof.
intros w0 omega1; pose proof (detours_le w0 omega1) as few.
pose proof (norm_add_ge x_pos n (conveyor N T s v) (fun j => dc T j - conveyor N T s v j)) as tri.
rewrite (norm_ext x_pos n (fun i => _ + _) (dc T)) in tri by (intros; ring).
pose proof T5a_conveyor; unfold detours in few; nra.
Qed.

(* In the cone, dc_{t+1} is at least phi |dc_t| - kappa |dh_t|. *)
Lemma dc_ge t : (t < T)%nat -> (1 - eps) * norm n x (dc t) - kappa * norm n x (dh t) <= norm n x (dc (S t)).
Proof.
intros ht; unfold dc at 2; rewrite dc_at_S; fold (dh t) (dc t).
eapply Rle_trans; [|apply norm_add_ge, x_pos].
assert ((1 - eps) * norm n x (dc t) <= norm n x (actF N (S t) (h_at N t s) (dc t))).
{ apply norm_diag_ge; [easy| |lra]; intros j hj.
  eapply Rle_trans; [now apply (hold t ht j hj)|apply Rle_abs]. }
pose proof (C_le t (dh t) ht); lra.
Qed.

Section Cone.
Variable eta : R.
Hypothesis eta_ge0 : 0 <= eta.
Hypothesis output : forall t j, (t < T)%nat -> (j < n)%nat -> gate_o N (S t) (h_at N t s) j <= eta.
Hypothesis room : omega < 1 - eps.
Hypothesis condition : sqrt omega + sqrt (kappa * eta) <= sqrt (1 - eps).
Let rho := rho_minus (1 - eps) omega kappa eta.
Let vs t := norm n x (dc t).
Let ws t := norm n x (dh t).

Lemma hidden_le t : (t < T)%nat -> ws (S t) <= omega * ws t + eta * vs (S t).
Proof. intros ht; apply dh_le; [easy|]; intros; now apply output. Qed.

Lemma memory_cone : (1 <= T)%nat -> norm n x w = 0 ->
  (1 - eps) * rho ^ (T - 1) * norm n x v <= norm n x (dc T).
Proof.
intros hT w0; pose proof hidden_gain_ge0; pose proof detour_gain_ge0.
apply (majorant_cone _ omega kappa eta T vs ws); try easy.
- intros; apply norm_ge0.
- apply dc_ge.
- apply hidden_le.
Qed.

Lemma memory_cone_total : norm n x w <= eta * norm n x v -> rho ^ T * norm n x v <= norm n x (dc T).
Proof.
intros w0; pose proof hidden_gain_ge0; pose proof detour_gain_ge0.
apply (majorant_cone_total (1 - eps) omega kappa eta T vs ws); try easy.
- intros; apply norm_ge0.
- apply dc_ge.
- apply hidden_le.
Qed.
End Cone.

End Memory.

Section Theorems.
Variables (N : lstm) (x : vec) (T : nat) (h0 : vec) (c : R -> vec) (e : R) (v : vec) (eps iota cbar : R).
Hypothesis x_pos : forall i, 0 < x i.
Hypothesis eps_range : 0 <= eps <= 1.
Hypothesis iota_ge0 : 0 <= iota.
Hypothesis cbar_ge0 : 0 <= cbar.
Hypothesis hold : gates_hold N T h0 (c e) eps iota cbar.
Hypothesis moves : velocity c e v.
Let omega := hidden_gain N x.
Let kappa := detour_gain N x eps iota cbar.
Let theta := kappa / (1 - omega).

(* h_0 stays, c_0 moves: the velocity of c_T *)
Lemma memory_velocity : velocity (fun y => c_at N T (h0, c y)) e (dc_at N T (h0, c e) (still, v)).
Proof. apply (T4_run N T (fun _ => h0) c e still v); [apply still_velocity|easy]. Qed.

Lemma still_norm : norm (size N) x still = 0.
Proof. now apply norm_zero. Qed.

Theorem T5b_cone eta : (1 <= T)%nat -> 0 <= eta ->
  (forall t j, (t < T)%nat -> (j < size N)%nat -> gate_o N (S t) (h_at N t (h0, c e)) j <= eta) ->
  omega < 1 - eps -> sqrt omega + sqrt (kappa * eta) <= sqrt (1 - eps) ->
  exists d, velocity (fun y => c_at N T (h0, c y)) e d /\
    (1 - eps) * rho_minus (1 - eps) omega kappa eta ^ (T - 1) * norm (size N) x v <= norm (size N) x d.
Proof.
intros; eexists; split; [apply memory_velocity|].
apply memory_cone; try easy; apply still_norm.
Qed.

(* Both sides: what remains, and that the detours add no more than what they may take away. *)
Theorem T5c_between : omega < 1 ->
  exists d, velocity (fun y => c_at N T (h0, c y)) e d /\
    ((1 - eps) ^ T - ((1 + theta) ^ (T - 1) - 1)) * norm (size N) x v <= norm (size N) x d
      <= (1 + theta) ^ (T - 1) * norm (size N) x v.
Proof.
intros; eexists; split; [apply memory_velocity|split].
- apply memory_additive; try easy; apply still_norm.
- apply (memory_upper N x T h0 (c e) still v eps iota cbar); try easy; apply still_norm.
Qed.

Theorem T5c_additive : omega < 1 ->
  exists d, velocity (fun y => c_at N T (h0, c y)) e d /\
    ((1 - eps) ^ T - ((1 + theta) ^ (T - 1) - 1)) * norm (size N) x v <= norm (size N) x d.
Proof. intros omega1; destruct (T5c_between omega1) as (d & hd & lo & _); now exists d. Qed.

Theorem T5c_floor : (1 <= T)%nat -> omega < 1 -> 4 * INR T * eps <= 1 -> 4 * INR T * theta <= 1 ->
  exists d, velocity (fun y => c_at N T (h0, c y)) e d /\
    0.4659 * norm (size N) x v <= norm (size N) x d.
Proof.
intros hT omega1 he ht; destruct (T5c_additive omega1) as (d & hd & le); exists d; split; [easy|].
eapply Rle_trans; [|exact le]; apply Rmult_le_compat_r; [apply norm_ge0|].
apply kept_floor; try easy.
apply Rmult_le_pos; [now apply detour_gain_ge0|left; apply Rinv_0_lt_compat; lra].
Qed.
End Theorems.

(* The total derivative: h_0 = o tanh c_0 moves along, at most eta times as fast. *)
Theorem T5b_total N x T (h c : R -> vec) e w v eps iota cbar eta :
  (forall i, 0 < x i) -> 0 <= eps <= 1 -> 0 <= iota -> 0 <= cbar -> 0 <= eta ->
  gates_hold N T (h e) (c e) eps iota cbar ->
  (forall t j, (t < T)%nat -> (j < size N)%nat -> gate_o N (S t) (h_at N t (h e, c e)) j <= eta) ->
  hidden_gain N x < 1 - eps ->
  sqrt (hidden_gain N x) + sqrt (detour_gain N x eps iota cbar * eta) <= sqrt (1 - eps) ->
  velocity h e w -> velocity c e v -> norm (size N) x w <= eta * norm (size N) x v ->
  exists d, velocity (fun y => c_at N T (h y, c y)) e d /\
    rho_minus (1 - eps) (hidden_gain N x) (detour_gain N x eps iota cbar) eta ^ T * norm (size N) x v
      <= norm (size N) x d.
Proof.
intros; exists (dc_at N T (h e, c e) (w, v)); split; [now apply T4_run|now apply memory_cone_total].
Qed.
