(* What the norms of an LSTM's tangent obey, as statements about two sequences of numbers.

   Let v t and w t be the norms of dc_t and dh_t, and let the gates' Jacobians be bounded by phi (F),
   kappa (C), omega (O) and eta (E).

   - T7a_threshold.  The comparison matrix of the two recursions shrinks some positive vector if and
     only if  kappa eta < (1 - phi) (1 - omega).
   - majorant_decay (T7 (a)).  If  v (t+1) <= phi v t + kappa w t  and  w (t+1) <= omega w t + eta v (t+1),
     then below that threshold both decay exponentially, at a rate and with a constant that depend on the
     four bounds alone.
   - majorant_detours (T5 (c)).  If the conveyor is not amplified, what the detours add to it is at
     most (1 + theta)^(T-1) - 1 of the start, theta = kappa eta / (1 - omega).
   - kept_floor (T5 (c)).  If eps and theta are at most 1/(4T), what remains is at least 0.4659, for every T.
   - majorant_cone (T5 (b)).  If  v (t+1) >= phi v t - kappa w t  and
     sqrt phi >= sqrt omega + sqrt (kappa eta),  then  v T >= phi rho^(T-1) v 0 if w 0 = 0, and
     v T >= rho^T v 0 if w 0 <= eta v 0 (majorant_cone_total), where
     rho = (tau + sqrt (tau^2 - 4 omega phi)) / 2  and  tau = phi + omega - kappa eta. *)
From Coq Require Import Reals Lra Lia.
From VG.real Require Import Exponential.
Local Open Scope R_scope.

(* The comparison matrix (omega + eta kappa, eta phi; kappa, phi) shrinks some positive vector (1, q)
   exactly below the threshold. *)
Definition shrinks phi omega kappa eta q lam := 0 < q /\ 0 <= lam < 1 /\
  phi * q + kappa <= lam * q /\ omega + eta * (phi * q + kappa) <= lam.

Lemma shrinks_below phi omega kappa eta : 0 <= phi < 1 -> 0 <= omega < 1 -> 0 <= kappa -> 0 <= eta ->
  kappa * eta < (1 - phi) * (1 - omega) -> exists q lam, shrinks phi omega kappa eta q lam.
Proof.
intros hp ho hk he h.
set (gap := (1 - phi) * (1 - omega) - kappa * eta); assert (gap0 : 0 < gap) by (unfold gap; lra).
assert (ep : 0 <= eta * phi) by (apply Rmult_le_pos; lra).
set (d := gap / (2 * (eta * phi + 1))).
assert (hd : d * (2 * (eta * phi + 1)) = gap) by (unfold d; field; lra).
assert (d0 : 0 < d) by (apply Rdiv_lt_0_compat; lra).
set (q := (kappa + d) / (1 - phi)).
assert (hq : q * (1 - phi) = kappa + d) by (unfold q; field; lra).
assert (q0 : 0 < q) by (apply Rdiv_lt_0_compat; lra).
set (a := (phi * q + kappa) / q); set (b := omega + eta * (phi * q + kappa)).
assert (ha : a * q = phi * q + kappa) by (unfold a; field; lra).
assert (a1 : a < 1) by (apply (Rmult_lt_reg_r q); lra).
assert (pq : 0 <= phi * q) by (apply Rmult_le_pos; lra).
assert (b1 : b < 1).
{ apply (Rmult_lt_reg_r (1 - phi)); [lra|].
  replace (b * (1 - phi)) with
    (omega * (1 - phi) + eta * (phi * (q * (1 - phi)) + kappa * (1 - phi))) by (unfold b; ring).
  rewrite hq; unfold gap in *; nra. }
assert (b0 : 0 <= b) by (unfold b; apply Rplus_le_le_0_compat; [lra|apply Rmult_le_pos; lra]).
exists q, (Rmax a b); repeat split; [easy| | | |].
- apply Rle_trans with (1 := b0), Rmax_r.
- now apply Rmax_lub_lt.
- rewrite <- ha; apply Rmult_le_compat_r; [lra|apply Rmax_l].
- apply Rmax_r.
Qed.

Theorem T7a_threshold phi omega kappa eta : 0 <= phi < 1 -> 0 <= omega < 1 -> 0 <= kappa -> 0 <= eta ->
  (exists q lam, shrinks phi omega kappa eta q lam) <-> kappa * eta < (1 - phi) * (1 - omega).
Proof.
intros hp ho hk he; split; [|now apply shrinks_below].
intros (q & lam & q0 & hlam & rowc & rowh).
assert (room : kappa < (1 - phi) * q) by nra.
assert (kappa <= (phi * q + kappa) * (1 - phi)) by nra.
assert (eta * kappa <= eta * ((phi * q + kappa) * (1 - phi))) by now apply Rmult_le_compat_l.
nra.
Qed.

Theorem majorant_decay phi omega kappa eta :
  0 <= phi < 1 -> 0 <= omega < 1 -> 0 <= kappa -> 0 <= eta ->
  kappa * eta < (1 - phi) * (1 - omega) ->
  exists lam B, 0 <= lam < 1 /\ 0 < B /\ forall v w : nat -> R,
    (forall t, 0 <= v t) -> (forall t, 0 <= w t) ->
    (forall t, v (S t) <= phi * v t + kappa * w t) ->
    (forall t, w (S t) <= omega * w t + eta * v (S t)) ->
    forall T, w T + v T <= B * lam ^ T * (w 0%nat + v 0%nat).
Proof.
intros hp ho hk he h; destruct (shrinks_below phi omega kappa eta) as (q & lam & q0 & hlam & rowc & rowh);
  try easy.
exists lam, ((1 + q) * (1 + / q)); assert (iq : 0 < / q) by now apply Rinv_0_lt_compat.
split; [easy|split; [nra|]]; intros v w v0 w0 hv hw.
set (s := (1 + / q) * (w 0%nat + v 0%nat)); pose proof (v0 0%nat); pose proof (w0 0%nat).
assert (both : forall T, w T <= lam ^ T * s /\ v T <= lam ^ T * s * q).
{ induction T as [|T [IHw IHv]].
  - assert (s * q = (q + 1) * (w 0%nat + v 0%nat)) by (unfold s; field; lra).
    rewrite !Rmult_1_l; split; [unfold s|]; nra.
  - set (k := lam ^ T * s) in *; assert (k0 : 0 <= k) by (apply Rle_trans with (2 := IHw), w0).
    replace (lam ^ S T * s) with (lam * k) by (unfold k; simpl; ring).
    assert (hv' : v (S T) <= k * (phi * q + kappa)).
    { eapply Rle_trans; [apply hv|]; pose proof (v0 T); pose proof (w0 T); nra. }
    split; [|nra].
    eapply Rle_trans; [apply hw|].
    apply Rle_trans with (k * (omega + eta * (phi * q + kappa))); nra. }
intros T; destruct (both T); unfold s in *; nra.
Qed.

Section Detours.
Variables (omega kappa eta v0 : R) (T : nat) (v w d : nat -> R).
Hypothesis omega_range : 0 <= omega < 1.
Hypothesis kappa_ge0 : 0 <= kappa.
Hypothesis eta_ge0 : 0 <= eta.
Hypothesis v0_ge0 : 0 <= v0.
Hypothesis no_start : d 0%nat = 0 /\ w 0%nat = 0.
(* d t is the norm of what the detours added to the conveyor by time t *)
Hypothesis total : forall t, v t <= d t + v0.
Hypothesis detour : forall t, (t < T)%nat -> d (S t) <= d t + kappa * w t.
Hypothesis hidden : forall t, (t < T)%nat -> w (S t) <= omega * w t + eta * v (S t).
Let theta := kappa * eta / (1 - omega).

Lemma theta_ge0 : 0 <= theta.
Proof. apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; lra]. Qed.

Theorem majorant_detours : d T <= ((1 + theta) ^ (T - 1) - 1) * v0.
Proof.
destruct no_start as [d00 w00]; pose proof theta_ge0 as th.
set (K := eta / (1 - omega)); assert (K0 : 0 <= K).
{ apply Rmult_le_pos; [easy|left; apply Rinv_0_lt_compat; lra]. }
assert (eK : K * (1 - omega) = eta) by (unfold K; field; lra).
assert (et : theta = kappa * K) by (unfold theta, K; field; lra).
clearbody K theta.
assert (all : forall t, (t < T)%nat ->
  d (S t) <= ((1 + theta) ^ t - 1) * v0 /\ w (S t) <= K * ((1 + theta) ^ t * v0)).
{ induction t as [|t IH]; intros ht.
  - pose proof (detour 0 ht) as hd; pose proof (hidden 0 ht) as hw; pose proof (total 1).
    rewrite d00, w00 in *; split; [simpl; lra|].
    assert (eta * v 1%nat <= eta * v0) by (apply Rmult_le_compat_l; lra).
    assert (0 <= K * omega * v0) by (repeat apply Rmult_le_pos; lra).
    assert (eta * v0 = K * v0 - K * omega * v0) by (rewrite <- eK; ring); simpl; lra.
  - destruct IH as [IHd IHw]; [lia|]; set (a := (1 + theta) ^ t) in *.
    assert (a0 : 0 <= a) by (apply pow_le; lra).
    change ((1 + theta) ^ S t) with ((1 + theta) * a).
    assert (hd : d (S (S t)) <= ((1 + theta) * a - 1) * v0).
    { eapply Rle_trans; [now apply detour|].
      assert (kappa * w (S t) <= theta * (a * v0)).
      { rewrite et, Rmult_assoc; now apply Rmult_le_compat_l. }
      lra. }
    split; [easy|].
    eapply Rle_trans; [now apply hidden|].
    assert (eta * v (S (S t)) <= eta * ((1 + theta) * a * v0)).
    { apply Rmult_le_compat_l; [easy|]; pose proof (total (S (S t))); lra. }
    assert (omega * w (S t) <= omega * (K * (a * v0))) by (apply Rmult_le_compat_l; lra).
    assert (0 <= omega * (K * (theta * (a * v0)))) by (repeat apply Rmult_le_pos; lra).
    assert (eta * ((1 + theta) * a * v0) = K * ((1 + theta) * a * v0)
      - omega * (K * (a * v0)) - omega * (K * (theta * (a * v0)))) by (rewrite <- eK; ring); lra. }
destruct T as [|t]; [rewrite d00; simpl; lra|].
replace (S t - 1)%nat with t by lia; apply all; lia.
Qed.
End Detours.

Theorem kept_floor eps theta T : (1 <= T)%nat -> 0 <= eps -> 0 <= theta ->
  4 * INR T * eps <= 1 -> 4 * INR T * theta <= 1 ->
  0.4659 <= (1 - eps) ^ T - ((1 + theta) ^ (T - 1) - 1).
Proof.
intros hT e0 t0 he ht; apply (le_INR 1) in hT as T1; simpl in T1.
pose proof (bernoulli eps T ltac:(nra)).
assert ((1 + theta) ^ (T - 1) <= exp (1 / 4)).
{ eapply Rle_trans; [apply growth_le_exp; lra|].
  assert (INR (T - 1) * theta <= 1 / 4) as [h| ->] by (rewrite minus_INR by easy; simpl; nra).
  - left; now apply exp_increasing.
  - apply Rle_refl. }
pose proof exp_quarter; lra.
Qed.

Definition tau_minus phi omega kappa eta := phi + omega - kappa * eta.
Definition rho_minus phi omega kappa eta :=
  (tau_minus phi omega kappa eta + sqrt (tau_minus phi omega kappa eta ^ 2 - 4 * omega * phi)) / 2.

Section Cone.
Variables (phi omega kappa eta : R) (T : nat) (v w : nat -> R).
Hypothesis omega_range : 0 <= omega < phi.
Hypothesis kappa_ge0 : 0 <= kappa.
Hypothesis eta_ge0 : 0 <= eta.
Hypothesis condition : sqrt omega + sqrt (kappa * eta) <= sqrt phi.
Hypothesis v_ge0 : forall t, 0 <= v t.
Hypothesis w_ge0 : forall t, 0 <= w t.
Hypothesis cell : forall t, (t < T)%nat -> phi * v t - kappa * w t <= v (S t).
Hypothesis hidden : forall t, (t < T)%nat -> w (S t) <= omega * w t + eta * v (S t).
Let tau := tau_minus phi omega kappa eta.
Let rho := rho_minus phi omega kappa eta.

(* rho solves (phi - rho) (rho - omega) = kappa eta rho between omega and phi. *)
Lemma rho_root : (phi - rho) * (rho - omega) = kappa * eta * rho /\ omega <= rho <= phi /\ tau <= 2 * rho.
Proof.
set (a := sqrt omega) in *; set (b := sqrt phi) in *; set (k := sqrt (kappa * eta)) in *.
assert (ke : 0 <= kappa * eta) by nra.
assert (a0 : 0 <= a) by apply sqrt_pos; assert (k0 : 0 <= k) by apply sqrt_pos.
assert (ea : a * a = omega) by (apply sqrt_sqrt; lra).
assert (eb : b * b = phi) by (apply sqrt_sqrt; lra).
assert (ek : k * k = kappa * eta) by now apply sqrt_sqrt.
assert (tau_ge : 2 * (a * b) <= tau).
{ unfold tau, tau_minus; rewrite <- ea, <- eb, <- ek; nra. }
assert (disc0 : 0 <= tau ^ 2 - 4 * omega * phi).
{ rewrite <- ea, <- eb; assert (0 <= a * b) by (apply Rmult_le_pos; lra); nra. }
set (root := sqrt (tau ^ 2 - 4 * omega * phi)) in *.
assert (er : root * root = tau ^ 2 - 4 * omega * phi) by now apply sqrt_sqrt.
assert (r0 : 0 <= root) by apply sqrt_pos.
assert (quad : (phi - rho) * (rho - omega) = kappa * eta * rho).
{ unfold rho, rho_minus; fold tau root; unfold tau, tau_minus in *; nra. }
assert (a_b : a <= b) by nra.
assert (low : omega <= rho).
{ unfold rho, rho_minus; fold tau root; rewrite <- ea; nra. }
split; [easy|split; [split; [easy|]|unfold rho, rho_minus; fold tau root; lra]].
apply Rnot_lt_le; intros lt.
assert (0 <= kappa * eta * rho) by (apply Rmult_le_pos; lra); nra.
Qed.

(* q = eta rho / (rho - omega) is the slope of the invariant cone w <= q v. *)
Lemma cone_step : omega < rho -> w 0%nat <= eta * v 0%nat -> forall t, (t < T)%nat -> rho * v t <= v (S t).
Proof.
intros room start; destruct rho_root as [quad _]; set (q := eta * rho / (rho - omega)).
assert (q0 : 0 <= q) by (apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; lra]).
assert (eq : q * (rho - omega) = eta * rho) by (unfold q; field; lra).
assert (kq : kappa * q = phi - rho).
{ apply (Rmult_eq_reg_r (rho - omega)); [rewrite quad, Rmult_assoc, eq; ring|lra]. }
clearbody q rho.
assert (grows : forall t, (t < T)%nat -> w t <= q * v t -> rho * v t <= v (S t)).
{ intros t ht h; pose proof (cell t ht).
  assert (kappa * w t <= kappa * (q * v t)) by now apply Rmult_le_compat_l.
  replace (kappa * (q * v t)) with ((phi - rho) * v t) in * by (rewrite <- kq; ring); lra. }
assert (cone : forall t, (t <= T)%nat -> w t <= q * v t).
{ induction t as [|t IH]; intros ht.
  { assert (eta <= q) by (apply (Rmult_le_reg_r (rho - omega)); nra); pose proof (v_ge0 0); nra. }
  assert (inside : w t <= q * v t) by (apply IH; lia).
  pose proof (grows t ht inside) as step; eapply Rle_trans; [now apply hidden|].
  apply (Rmult_le_reg_l rho); [lra|].
  assert (rho * (omega * w t) <= omega * q * v (S t)).
  { apply Rle_trans with (omega * q * (rho * v t)); [|apply Rmult_le_compat_l; [nra|easy]].
    replace (omega * q * (rho * v t)) with (rho * (omega * (q * v t))) by ring.
    repeat (apply Rmult_le_compat_l; [lra|]); easy. }
  replace (rho * (q * v (S t))) with (omega * q * v (S t) + q * (rho - omega) * v (S t)) by ring.
  rewrite eq; lra. }
intros t ht; apply grows; [easy|apply cone; lia].
Qed.

Theorem majorant_cone : (1 <= T)%nat -> w 0%nat = 0 -> phi * rho ^ (T - 1) * v 0%nat <= v T.
Proof.
intros hT start; destruct rho_root as [quad [[low high] half]].
pose proof (cell 0 hT) as first; rewrite start in first.
assert (all : forall t, (t < T)%nat -> phi * rho ^ t * v 0%nat <= v (S t)).
2: { destruct T as [|t]; [lia|]; replace (S t - 1)%nat with t by lia; apply all; lia. }
destruct low as [room|stuck]; intros t ht.
- pose proof (cone_step room ltac:(pose proof (v_ge0 0); nra)) as step; induction t as [|t IH]; [simpl; lra|].
  eapply Rle_trans; [|now apply step]; simpl.
  assert (rho0 : 0 <= rho) by lra; specialize (IH ltac:(lia)); clearbody rho; nra.
- assert (rho0 : rho = 0) by (clearbody rho; unfold tau, tau_minus in half; nra).
  destruct t as [|t]; [simpl; lra|rewrite rho0; simpl; pose proof (v_ge0 (S (S t))); lra].
Qed.

Theorem majorant_cone_total : w 0%nat <= eta * v 0%nat -> rho ^ T * v 0%nat <= v T.
Proof.
intros start; destruct rho_root as [quad [[low high] half]].
assert (rho_ge0 : 0 <= rho) by (destruct low; lra).
assert (all : forall t, (t <= T)%nat -> rho ^ t * v 0%nat <= v t); [|now apply all].
destruct low as [room|stuck]; induction t as [|t IH]; intros ht; try (simpl; lra).
- eapply Rle_trans; [|now apply cone_step]; rewrite <- tech_pow_Rmult, Rmult_assoc.
  apply Rmult_le_compat_l; [easy|apply IH; lia].
- assert (rho0 : rho = 0) by (clearbody rho; unfold tau, tau_minus in half; nra).
  rewrite rho0; simpl; pose proof (v_ge0 (S t)); lra.
Qed.
End Cone.
