(* T7 (a): when the real LSTM forgets, whatever its inputs.

   T7a_forgetting.  Suppose that along a trajectory f <= phi < 1, i <= iota, o <= eta, |c| <= cbar.  In a
   weighted max-norm |.| write

      omega = |U_o| / 4,   kappa = cbar / 4 |U_f| + |U_i| / 4 + iota |U_g|.

   If omega < 1 and  kappa eta < (1 - phi) (1 - omega),  then the whole gradient vanishes: there are lam < 1
   and B, which depend on these bounds alone, such that along every curve of initial states with velocity
   (w, v) the state (h_T, c_T) moves with a velocity |dh_T| + |dc_T| <= B lam^T (|w| + |v|).

   T7a_bounded_inputs.  The bounds are not needed if the inputs are bounded: if they drive the forget gate
   by at most P, then phi = sigma (P + |U_f|) will do, with iota = eta = 1 and cbar = 1 / (1 - phi).
   (For unbounded inputs sup f = 1; that is the feature.) *)
From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
From VG.real Require Import Sums Scalars MaxNorm Lstm LstmBounds LstmMemory Majorants.
Local Open Scope R_scope.

Definition gates_leak N (s : vec * vec) phi iota eta cbar := forall t j, (j < size N)%nat ->
  gate_f N (S t) (h_at N t s) j <= phi /\
  gate_i N (S t) (h_at N t s) j <= iota /\
  gate_o N (S t) (h_at N t s) j <= eta /\
  Rabs (c_at N t s j) <= cbar.

Definition coupling N x iota cbar :=
  cbar / 4 * opnorm (size N) x (Uf N) + / 4 * opnorm (size N) x (Ui N) + iota * opnorm (size N) x (Ug N).

Section Forgetting.
Variables (N : lstm) (x : vec) (s : vec * vec) (phi iota eta cbar : R).
Hypothesis x_pos : forall i, 0 < x i.
Hypothesis phi_ge0 : 0 <= phi.
Hypothesis iota_ge0 : 0 <= iota.
Hypothesis eta_ge0 : 0 <= eta.
Hypothesis cbar_ge0 : 0 <= cbar.
Hypothesis leak : gates_leak N s phi iota eta cbar.
Let n := size N.

Lemma leak_C t w : norm n x (actC N (S t) (h_at N t s) (c_at N t s) w) <= coupling N x iota cbar * norm n x w.
Proof.
apply lstm_C_le; try easy; try lra; intros j hj; destruct (leak t j hj) as (_ & hi & _ & hc).
- replace (cbar / 4) with (cbar * (1 / 4)) by field.
  apply Rabs_mul_le; [easy|apply Rabs_sigma'_le].
- replace (/ 4) with (1 * (1 / 4)) by field.
  apply Rabs_mul_le; [apply tanh_abs_le1|apply Rabs_sigma'_le].
- rewrite <- (Rmult_1_r iota); apply Rabs_mul_le; [|apply tanh'_abs_le1].
  rewrite Rabs_pos_eq; [easy|left; apply sigma_range].
Qed.

Lemma leak_cell t d : norm n x (dc_at N (S t) s d)
  <= phi * norm n x (dc_at N t s d) + coupling N x iota cbar * norm n x (dh_at N t s d).
Proof.
rewrite dc_at_S; eapply Rle_trans; [apply norm_add, x_pos|].
apply Rplus_le_compat; [|apply leak_C].
apply norm_diag; [easy|easy|]; intros j hj; destruct (leak t j hj) as (hf & _).
rewrite Rabs_pos_eq; [easy|left; apply sigma_range].
Qed.

Lemma leak_hidden t d : norm n x (dh_at N (S t) s d)
  <= hidden_gain N x * norm n x (dh_at N t s d) + eta * norm n x (dc_at N (S t) s d).
Proof.
rewrite dh_at_S, dc_at_S; apply T5d_tangent; try easy; intros j hj.
now destruct (leak t j hj) as (_ & _ & ho & _).
Qed.
End Forgetting.

(* One lam and one B serve for all LSTMs and all inputs within the bounds. *)
Theorem T7a_forgetting n x phi iota eta cbar omega kappa :
  (forall i, 0 < x i) -> 0 <= phi < 1 -> 0 <= iota -> 0 <= eta -> 0 <= cbar ->
  0 <= omega < 1 -> 0 <= kappa -> kappa * eta < (1 - phi) * (1 - omega) ->
  exists lam B, 0 <= lam < 1 /\ forall N h c e w v,
    size N = n -> hidden_gain N x <= omega -> coupling N x iota cbar <= kappa ->
    gates_leak N (h e, c e) phi iota eta cbar -> velocity h e w -> velocity c e v ->
    forall T, exists dh dc,
      velocity (fun y => h_at N T (h y, c y)) e dh /\ velocity (fun y => c_at N T (h y, c y)) e dc /\
      norm n x dh + norm n x dc <= B * lam ^ T * (norm n x w + norm n x v).
Proof.
intros x0 hp i0 e0 c0 ho k0 box.
destruct (majorant_decay phi omega kappa eta) as (lam & B & hl & hB & decay); try easy.
exists lam, B; split; [easy|]; intros N h c e w v size_n gain couple leak hw hv T; subst n.
destruct (T4_run N T h c e w v hw hv) as [mh mc].
set (s := (h e, c e)) in *; exists (dh_at N T s (w, v)), (dc_at N T s (w, v)).
split; [easy|split; [easy|]].
apply (decay (fun t => norm (size N) x (dc_at N t s (w, v)))
             (fun t => norm (size N) x (dh_at N t s (w, v)))); intros t; try apply norm_ge0;
  pose proof (norm_ge0 (x:=x) (size N) (dh_at N t s (w, v))).
- eapply Rle_trans; [now apply leak_cell with (phi := phi) (eta := eta) (iota := iota) (cbar := cbar)|].
  now apply Rplus_le_compat_l, Rmult_le_compat_r.
- eapply Rle_trans; [now apply leak_hidden with (phi := phi) (eta := eta) (iota := iota) (cbar := cbar)|].
  now apply Rplus_le_compat_r, Rmult_le_compat_r.
Qed.

(* Bounded inputs bound the gates: the memory cannot outgrow 1 / (1 - phi). *)
Lemma bounded_inputs_leak N s P phi : phi < 1 -> sigma (P + opnorm (size N) ones (Uf N)) <= phi ->
  (forall t j, (j < size N)%nat -> uf N t j <= P) ->
  (forall j, Rabs (fst s j) <= 1) -> (forall j, (j < size N)%nat -> Rabs (snd s j) <= / (1 - phi)) ->
  gates_leak N s phi 1 1 (/ (1 - phi)).
Proof.
intros phi1 hphi drive hbox cbox.
assert (forget : forall t j, (j < size N)%nat -> gate_f N (S t) (h_at N t s) j <= phi).
{ intros t j hj; eapply Rle_trans; [|exact hphi]; apply sigma_le.
  pose proof (recurrent_drive_le (size N) (Uf N) (h_at N t s) j hj (hidden_bounded N t s hbox)) as d.
  apply Rabs_le_between in d; pose proof (drive (S t) j hj); lra. }
intros t j hj; split; [now apply forget|split; [left; apply sigma_range|split; [left; apply sigma_range|]]].
revert j hj; induction t as [|t IH]; intros j hj; [now apply cbox|].
rewrite c_at_S; unfold c_next; specialize (IH j hj).
assert (Rabs (gate_f N (S t) (h_at N t s) j * c_at N t s j) <= phi * / (1 - phi)).
{ apply Rabs_mul_le; [|easy]; rewrite Rabs_pos_eq; [now apply forget|left; apply sigma_range]. }
assert (Rabs (gate_i N (S t) (h_at N t s) j * gate_g N (S t) (h_at N t s) j) <= 1 * 1).
{ apply Rabs_mul_le; [|apply tanh_abs_le1]; rewrite Rabs_pos_eq; left; apply sigma_range. }
assert (/ (1 - phi) = phi * / (1 - phi) + 1) by (field; lra).
eapply Rle_trans; [apply Rabs_triang|lra].
Qed.

Theorem T7a_bounded_inputs n x P phi omega kappa :
  (forall i, 0 < x i) -> 0 <= phi < 1 -> 0 <= omega < 1 -> 0 <= kappa < (1 - phi) * (1 - omega) ->
  exists lam B, 0 <= lam < 1 /\ forall N h c e w v,
    size N = n -> hidden_gain N x <= omega -> coupling N x 1 (/ (1 - phi)) <= kappa ->
    sigma (P + opnorm n ones (Uf N)) <= phi -> (forall t j, (j < n)%nat -> uf N t j <= P) ->
    (forall j, Rabs (h e j) <= 1) -> (forall j, (j < n)%nat -> Rabs (c e j) <= / (1 - phi)) ->
    velocity h e w -> velocity c e v ->
    forall T, exists dh dc,
      velocity (fun y => h_at N T (h y, c y)) e dh /\ velocity (fun y => c_at N T (h y, c y)) e dc /\
      norm n x dh + norm n x dc <= B * lam ^ T * (norm n x w + norm n x v).
Proof.
intros x0 hp ho hk; assert (0 < / (1 - phi)) by (apply Rinv_0_lt_compat; lra).
destruct (T7a_forgetting n x phi 1 1 (/ (1 - phi)) omega kappa) as (lam & B & hl & vanish); try easy; try lra.
exists lam, B; split; [easy|]; intros N h c e w v size_n gain couple hphi drive hbox cbox hw hv T.
apply vanish; try easy; subst n; now apply bounded_inputs_leak with (P := P).
Qed.
